// What one step is told about the caller's buffers. Everything here is borrowed for the call.
#ifndef OPTCORE_ENGINE_TENSOR_H
#define OPTCORE_ENGINE_TENSOR_H

#include <cstdint>

#include "../kernels/table.h"
#include "rows.h"

namespace optcore {

constexpr int64_t bytes_of(Format format) { return kFormatBytes[int(format)]; }
constexpr int64_t bytes_of(Dtype dtype) { return dtype == Dtype::f32 ? 4 : 8; }

/// The size of what a loop reads as state.
constexpr int64_t slot_bytes(Loop loop) {
    return loop == Loop::f64 ? 8 : loop == Loop::bf16 ? 2 : 4;
}

/// One axis of a gradient, in elements and bytes; axes run from the slowest to the fastest, in
/// the order in which the parameter lies in memory.
struct Axis {
    int64_t extent, stride;
};

struct Gradient {
    void *data = nullptr;       ///< null: this tensor is skipped. Written only to be zeroed.
    const Axis *axes = nullptr; ///< null: dense, in the parameter's memory order
    int axis_count = 0;
    Format format = Format::f32;
    const RowSet *rows = nullptr; ///< not null: `data` are the values of these rows alone
};

/// How a matrix, or a batch of matrices, lies in memory. A vector has batch 0.
struct MatrixShape {
    int64_t batch = 0, rows = 0, cols = 0;
    bool transposed = false; ///< memory rows are the columns of the matrix
};

/// How many steps there were after one more. The last number there is stays.
inline uint64_t step_after(uint64_t steps) { return steps == UINT64_MAX ? steps : steps + 1; }

struct Tensor {
    void *param = nullptr;
    void *slot[kMaxSlots] = {};
    double *scalar[kMaxScalars] = {}; ///< float64 state that the tensor has as a whole
    int64_t size = 0;
    uint64_t steps = 0; ///< executed so far
    Gradient grad;
    int group = 0;
    Dtype dtype = Dtype::f32;    ///< computed in
    Format format = Format::f32; ///< of the parameter
    bool plain = true;           ///< one of the rule's loops does all there is to do, ...
    Loop loop = Loop::f32;       ///< ... this one
    const Buffers *buffers = nullptr;
    bool factored = false; ///< its rule is
    bool rowwise = false;  ///< its rule is: one number of state per row, ...
    int64_t width = 1;     ///< ... of so many elements
    const MatrixShape *matrix = nullptr;
    uint64_t path_hash = 0; ///< for random numbers

    /// The number of the coming step.
    uint64_t next_step() const { return step_after(steps); }
    bool active() const { return elements() > 0; }
    /// That have a gradient; for named rows, as many as the compact gradient has.
    int64_t elements() const { return grad.rows ? grad.rows->elements() : grad.data ? size : 0; }
    /// Whether the rule does not run in the sweep.
    bool own_pass() const { return factored || rowwise; }
};

/// Whether the gradient is in the compute type already.
inline bool same_type(const Tensor &t) {
    return t.grad.format == (t.dtype == Dtype::f32 ? Format::f32 : Format::f64);
}

struct Group {
    RuleId rule;
    unsigned variant = 0;
    bool decoupled = false;
    bool maximize = false;
    bool mask_update = false, mask_decay = false; ///< cautious masks
    bool masked() const { return mask_update || mask_decay; }
    double hyper[kMaxHypers] = {}; ///< in the order of RuleInfo::hyper
};

} // namespace optcore

#endif
