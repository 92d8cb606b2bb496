// A gradient that names some rows of its parameter (an embedding table), where a row is what
// lies under one index of the first axis. Its elements are counted as if the rows that are named,
// each once and in ascending order, stood behind one another: the compact gradient.
#ifndef OPTCORE_ENGINE_ROWS_H
#define OPTCORE_ENGINE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include <vector>

#include "../rules/rule.h"

namespace optcore {

struct Gradient;

enum class IndexType : int { i8, i16, i32, i64, u8, u16, u32, u64 };

/// The caller's indices, where they lie; they need not be aligned.
struct IndexArray {
    const void *data;
    int64_t count, stride; ///< stride in bytes
    IndexType type;
};

class RowSet {
public:
    /// Sorts the indices. Returns where the first one is that is not in [0, rows), or -1. Keeps its
    /// memory for the next time.
    int64_t assign(const IndexArray &indices, int64_t rows, int64_t width);

    int64_t width() const { return width_; } ///< elements of a row
    int64_t count() const { return int64_t(rows_.size()); }
    int64_t elements() const { return count() * width_; }
    /// How many indices were given, repeated ones as well.
    int64_t places() const { return int64_t(named_.size()); }
    /// The u-th row of those that are named.
    int64_t row(int64_t u) const { return rows_[size_t(u)]; }
    /// The first place among the indices that names it.
    int64_t place(int64_t u) const { return named_[size_t(first_[size_t(u)])].place; }
    bool named_once(int64_t u) const { return first_[size_t(u) + 1] - first_[size_t(u)] == 1; }

    /// Calls f(place) for every place that names row u, in order of appearance.
    template <class F>
    void for_places(int64_t u, F f) const {
        for (int64_t i = first_[size_t(u)]; i < first_[size_t(u) + 1]; ++i)
            f(named_[size_t(i)].place);
    }
    /// Where element `compact` of the compact gradient lies in the parameter.
    int64_t element(int64_t compact) const {
        return row(compact / width_) * width_ + compact % width_;
    }

private:
    struct Named {
        int64_t row, place;
    };
    void sort(int64_t largest);

    int64_t width_ = 0;
    std::vector<Named> named_, other_; ///< by row, then by place
    std::vector<int64_t> rows_;        ///< each row once, ascending
    std::vector<int64_t> first_;       ///< where it begins in `named_`; and the end
};

/// Elements [start, start + n) of the compact gradient in `dtype`, densely to `out`. Values of the
/// same row are rounded to `dtype`, then added in order of appearance.
void gather_rows(const Gradient &grad, Dtype dtype, int64_t start, int64_t n, void *out) noexcept;

} // namespace optcore

#endif
