#include "rows.h"

#include <cstring>

#include "../kernels/loop.h"
#include "gather.h"

namespace optcore {
namespace {

/// Calls f(place, index) for each; f returns false to stop. An unsigned index beyond the range of
/// int64 comes as -1: neither is a row.
template <class T, class F>
void for_each_index(const IndexArray &indices, F f) {
    const char *at = static_cast<const char *>(indices.data);
    for (int64_t i = 0; i < indices.count; ++i, at += indices.stride) {
        T index;
        std::memcpy(&index, at, sizeof index);
        if (!f(i, sizeof(T) == 8 && index > T(INT64_MAX) ? -1 : int64_t(index)))
            return;
    }
}

template <class F>
void for_indices(const IndexArray &indices, F f) {
    switch (indices.type) {
    case IndexType::i8: return for_each_index<int8_t>(indices, f);
    case IndexType::i16: return for_each_index<int16_t>(indices, f);
    case IndexType::i32: return for_each_index<int32_t>(indices, f);
    case IndexType::i64: return for_each_index<int64_t>(indices, f);
    case IndexType::u8: return for_each_index<uint8_t>(indices, f);
    case IndexType::u16: return for_each_index<uint16_t>(indices, f);
    case IndexType::u32: return for_each_index<uint32_t>(indices, f);
    case IndexType::u64: return for_each_index<uint64_t>(indices, f);
    }
}

constexpr int kDigit = 11; // bits that one pass sorts by
constexpr size_t kDigits = size_t(1) << kDigit;

} // namespace

int64_t RowSet::assign(const IndexArray &indices, int64_t rows, int64_t width) {
    width_ = width;
    named_.resize(size_t(indices.count));
    rows_.clear();
    first_.clear();
    int64_t wrong = -1, largest = 0;
    bool ascending = true;
    for_indices(indices, [&](int64_t place, int64_t index) {
        if (index < 0 || index >= rows) {
            wrong = place;
            return false;
        }
        ascending = ascending && index >= largest;
        largest = index > largest ? index : largest;
        named_[size_t(place)] = {index, place};
        return true;
    });
    if (wrong >= 0)
        return wrong;
    if (!ascending)
        sort(largest);
    rows_.reserve(named_.size());
    first_.reserve(named_.size() + 1);
    for (size_t i = 0; i < named_.size(); ++i)
        if (i == 0 || named_[i].row != named_[i - 1].row) {
            rows_.push_back(named_[i].row);
            first_.push_back(int64_t(i));
        }
    first_.push_back(int64_t(named_.size()));
    return -1;
}

/// By row, digit by digit from the lowest; each pass keeps the order of what is equal.
void RowSet::sort(int64_t largest) {
    other_.resize(named_.size());
    for (int shift = 0; shift < 63 && largest >> shift > 0; shift += kDigit) {
        int64_t at[kDigits] = {};
        for (const Named &each : named_)
            ++at[size_t(each.row >> shift) % kDigits];
        int64_t before = 0;
        for (int64_t &count : at) {
            const int64_t here = count;
            count = before;
            before += here;
        }
        for (const Named &each : named_)
            other_[size_t(at[size_t(each.row >> shift) % kDigits]++)] = each;
        named_.swap(other_);
    }
}

namespace {

template <class T>
void add(const T *OPTCORE_RESTRICT x, int64_t n, T *OPTCORE_RESTRICT sum) {
    OPTCORE_INDEPENDENT
    for (int64_t i = 0; i < n; ++i)
        sum[i] = sum[i] + x[i];
}

/// The sum of all values of row u, columns [column, column + n).
template <class T>
void sum_row(const Gradient &values, const RowSet &rows, Dtype dtype, int64_t u, int64_t column,
             int64_t n, T *out) {
    constexpr int64_t kRoom = 1024;
    const bool as_it_lies = !values.axes && bytes_of(values.format) == sizeof(T) &&
                            values.format != Format::long_double;
    bool first = true;
    rows.for_places(u, [&](int64_t place) {
        const int64_t at = place * rows.width() + column;
        if (as_it_lies) {
            const T *x = static_cast<const T *>(values.data) + at;
            first ? void(std::memcpy(out, x, size_t(n) * sizeof(T))) : add(x, n, out);
        } else if (first) {
            gather(values, dtype, at, n, out);
        } else {
            T room[kRoom];
            for (int64_t done = 0; done < n; done += kRoom) {
                const int64_t here = n - done < kRoom ? n - done : kRoom;
                gather(values, dtype, at + done, here, room);
                add(room, here, out + done);
            }
        }
        first = false;
    });
}

template <class T>
void sum_rows(const Gradient &grad, Dtype dtype, int64_t start, int64_t n, T *out) {
    const RowSet &rows = *grad.rows;
    Gradient values = grad;
    values.rows = nullptr;
    int64_t u = start / rows.width(), column = start % rows.width();
    while (n > 0) {
        const int64_t left = rows.width() - column, here = left < n ? left : n;
        sum_row(values, rows, dtype, u, column, here, out);
        n -= here;
        out += here;
        column = 0;
        ++u;
    }
}

} // namespace

void gather_rows(const Gradient &grad, Dtype dtype, int64_t start, int64_t n, void *out) noexcept {
    if (dtype == Dtype::f32)
        sum_rows(grad, dtype, start, n, static_cast<float *>(out));
    else
        sum_rows(grad, dtype, start, n, static_cast<double *>(out));
}

} // namespace optcore
