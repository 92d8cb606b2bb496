// What one step is told about the caller's buffers. Everything here is borrowed for the call.
#ifndef OPTCORE_ENGINE_TENSOR_H
#define OPTCORE_ENGINE_TENSOR_H

#include <cstdint>

#include "../kernels/table.h"

namespace optcore {

/// The number formats a gradient may come in.
enum class Number : int { f16, f32, f64, long_double };

/// One axis of a gradient, in elements and bytes; axes run from the slowest to the fastest, in
/// the order in which the parameter lies in memory.
struct Axis {
    int64_t extent, stride;
};

struct Gradient {
    const void *data = nullptr; ///< null: this tensor is skipped
    Number number = Number::f32;
    const Axis *axes = nullptr; ///< null: the parameter's own type and layout
    int axis_count = 0;
};

/// How a matrix, or a batch of matrices, lies in memory. A vector has batch 0.
struct MatrixShape {
    int64_t batch = 0, rows = 0, cols = 0;
    bool transposed = false; ///< memory rows are the columns of the matrix
};

struct Tensor {
    void *param = nullptr;
    void *slot[kMaxSlots] = {};
    double *scalars = nullptr;
    int64_t size = 0;
    Dtype dtype = Dtype::f32;
    int group = 0;
    uint64_t steps = 0; ///< executed so far
    Gradient grad;
    MatrixShape matrix;

    int64_t item() const { return dtype == Dtype::f32 ? 4 : 8; }
    /// The number of the coming step; the last number there is stays.
    uint64_t next_step() const { return steps == UINT64_MAX ? steps : steps + 1; }
    bool active() const { return grad.data && size > 0; }
};

struct Group {
    RuleId rule;
    unsigned variant = 0;
    bool decoupled = false;
    bool maximize = false;
    double hyper[kMaxHypers] = {}; ///< in the order of RuleInfo::hyper
};

} // namespace optcore

#endif
