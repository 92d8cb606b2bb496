// How the elements of all tensors are dealt out to threads: as if they stood in one row, cut into
// tiles that start anew with every tensor. The tiles never depend on the number of threads; which
// thread gets a tile does, and makes no difference to the result.
#ifndef OPTCORE_ENGINE_TILES_H
#define OPTCORE_ENGINE_TILES_H

#include "tensor.h"
#include "threads.h"

namespace optcore {

inline int64_t total_elements(const Tensor *tensors, int64_t count) {
    int64_t total = 0;
    for (int64_t i = 0; i < count; ++i)
        if (tensors[i].active())
            total += tensors[i].size;
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

/// Calls f(tensor index, range of its elements) for the share of thread k of n. Ranges begin at
/// tile borders and end there or with the tensor.
template <class F>
void for_share(const Tensor *tensors, int64_t count, int64_t total, int k, int n, F f) {
    const Range64 part = share(total, k, n);
    int64_t offset = 0;
    for (int64_t i = 0; i < count && offset < part.end; ++i) {
        if (!tensors[i].active())
            continue;
        const int64_t size = tensors[i].size;
        if (offset + size > part.begin) {
            const Range64 range = tiles_of(size, offset, part);
            if (range.begin < range.end)
                f(i, range);
        }
        offset += size;
    }
}

} // namespace optcore

#endif
