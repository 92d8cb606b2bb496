// How the elements of all tensors are dealt out to threads: as if they stood in one row, cut into
// tiles that start anew with every tensor. The tiles never depend on the number of threads; which
// thread gets a tile does, and makes no difference to the result.
#ifndef OPTCORE_ENGINE_TILES_H
#define OPTCORE_ENGINE_TILES_H

#include "gather.h"
#include "tensor.h"
#include "threads.h"

namespace optcore {

/// `Item` is what has `elements()`: tensors, or what is to be done to them.
template <class Item>
int64_t total_elements(const Item *items, int64_t count) {
    int64_t total = 0;
    for (int64_t i = 0; i < count; ++i)
        total += items[i].elements();
    return total;
}

/// The elements of the tiles of a tensor that begin inside `part`, where the tensor's element 0
/// stands at `offset` in the row.
inline Range64 tiles_of(int64_t size, int64_t offset, Range64 part) {
    const auto rounded = [=](int64_t at) { // the first tile border at or after `at`
        if (at <= offset)
            return int64_t(0);
        if (at - offset >= size)
            return size;
        const int64_t tiles = (at - offset - 1) / kBlock + 1;
        return tiles > (size - 1) / kBlock ? size : tiles * kBlock;
    };
    return {rounded(part.begin), rounded(part.end)};
}

/// Calls f(item, range of its elements) for the share of thread k of n. Ranges begin at tile
/// borders and end there or with the item.
template <class Item, class F>
void for_share(const Item *items, int64_t count, int64_t total, int k, int n, F f) {
    if (n == 1) {
        for (int64_t i = 0; i < count; ++i)
            if (items[i].elements() > 0)
                f(i, Range64{0, items[i].elements()});
        return;
    }
    const Range64 part = share(total, k, n);
    int64_t offset = 0;
    for (int64_t i = 0; i < count && offset < part.end; ++i) {
        const int64_t size = items[i].elements();
        if (offset + size > part.begin) {
            const Range64 range = tiles_of(size, offset, part);
            if (range.begin < range.end)
                f(i, range);
        }
        offset += size;
    }
}

/// Calls f(first element, elements, gradient there, its format) for the blocks of a range. The
/// gradient is dense: where it lies, or gathered.
template <class F>
void for_blocks(const Tensor &t, Range64 range, F f) {
    alignas(64) unsigned char dense[size_t(kBlock) * sizeof(double)];
    const bool as_it_lies =
        !t.grad.axes && !t.grad.rows && (bytes_of(t.grad.format) == 2 || same_type(t));
    const Format format = as_it_lies              ? t.grad.format
                          : t.dtype == Dtype::f32 ? Format::f32
                                                  : Format::f64;
    for (int64_t at = range.begin; at < range.end; at += kBlock) {
        const int64_t n = at + kBlock < range.end ? kBlock : range.end - at;
        if (as_it_lies) {
            f(at, n, static_cast<const char *>(t.grad.data) + at * bytes_of(format), format);
        } else {
            gather(t.grad, t.dtype, at, n, dense);
            f(at, n, dense, format);
        }
    }
}

} // namespace optcore

#endif
