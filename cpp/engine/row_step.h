// The steps that go row by row: those of gradients that name rows, and those of rules that keep
// one number per row. Rows are dealt out to threads whole.
#ifndef OPTCORE_ENGINE_ROW_STEP_H
#define OPTCORE_ENGINE_ROW_STEP_H

#include <vector>

#include "tensor.h"

namespace optcore {

/// What is to be done to the rows of one tensor: those its gradient names, or all.
struct RowJob {
    const Tensor *tensor = nullptr;
    const void *scalars = nullptr;
    SweepLoop loop = nullptr;   ///< the rule's, of the compute type; null for row-wise rules
    SweepLoop direct = nullptr; ///< where it runs straight over the caller's buffers, its loop
    const RowwiseLoops *rowwise = nullptr;
    Buffers buffers = {}; ///< without the average, which goes on in all rows

    int64_t elements() const { return tensor->elements(); }
    int64_t width() const { return rows() ? rows()->width() : tensor->width; }
    const RowSet *rows() const { return tensor->grad.rows; }
    /// The u-th row of those to be stepped.
    int64_t row(int64_t u) const { return rows() ? rows()->row(u) : u; }
};

/// Why the gradient of a tensor may not name rows.
enum class NoRows {
    none,   ///< it may
    whole,  ///< the rule looks at whole tensors
    masked, ///< the cautious mask does
    codes   ///< its state is 8-bit, in blocks that straddle rows
};
NoRows why_no_rows(const Group &group, const Buffers &buffers);

void step_rows(const std::vector<RowJob> &jobs, int threads) noexcept;

/// Sets the values of all rows to zero, as far as gradients name rows.
void clear_rows(const std::vector<RowJob> &jobs) noexcept;

} // namespace optcore

#endif
