// How arrays lie in memory, for every door alike: the order of axes, matrices, rows, and the walk
// over a gradient that is laid out in another way than its parameter.
#ifndef OPTCORE_ENGINE_LAYOUT_H
#define OPTCORE_ENGINE_LAYOUT_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tensor.h"

namespace optcore {

/// Extents of axes, or strides in bytes.
using Extents = std::vector<std::ptrdiff_t>;

/// A dense array: its axes, and the order in which they lie in memory.
struct Layout {
    Extents shape, strides;
    std::vector<int> order; ///< axes longer than 1, slowest first in memory
    std::ptrdiff_t size = 0;
};

/// Finds the order of the axes longer than 1, slowest first. False where the array is not dense.
bool memory_order(const Extents &shape, const Extents &strides, std::ptrdiff_t item,
                  std::vector<int> &order);

/// How far an array's lowest address lies from the one that its indices begin at: 0 or less.
std::ptrdiff_t reach_below(const Extents &shape, const Extents &strides);

/// The strides of a C-contiguous array.
Extents contiguous_strides(const Extents &shape, std::ptrdiff_t item);

/// Whether elements of `item` bytes with these strides lie in the order of a parameter's.
bool lies_alike(const Layout &param, std::ptrdiff_t param_item, const Extents &strides,
                std::ptrdiff_t item);

/// How a matrix, or a batch of them over the last two axes, lies in memory; tensors of fewer than
/// two axes have batch 0. Returns null, or what a factored rule would have expected of the array.
const char *matrix_shape(const Layout &param, MatrixShape *matrix);

/// The elements under one index of the first axis of a C-contiguous array; −1 if it is none.
std::ptrdiff_t row_width(const Layout &param, std::ptrdiff_t item);

/// A walk over an array in the order in which its parameter lies in memory.
struct Walk {
    std::vector<Axis> axes; ///< neighbours that follow on from each other are one
    char *data = nullptr;   ///< where the walk begins
    uintptr_t low = 0, high = 0;
    bool dense = false; ///< one axis, whose elements lie behind one another
};

/// Of an array that begins at `data`, with these strides and elements of `item` bytes. It has
/// elements.
Walk walk_like(const Layout &param, char *data, const std::ptrdiff_t *strides, std::ptrdiff_t item);

/// Whether one of the rule's loops does all there is to do, and which.
bool plain_loop(const Buffers &buffers, Loop *loop);

/// What random numbers of a tensor of that path depend on. FNV-1a: the same on every machine.
uint64_t path_hash(const std::string &path);

} // namespace optcore

#endif
