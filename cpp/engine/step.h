// One optimizer step over a whole model. The engine holds no state: all buffers are the caller's,
// and everything a step needs besides is in a workspace that the caller keeps or throws away.
#ifndef OPTCORE_ENGINE_STEP_H
#define OPTCORE_ENGINE_STEP_H

#include <limits>
#include <vector>

#include "tensor.h"

namespace optcore {

struct StepOptions {
    /// Limit of the norm of all gradients together; NaN: the norm is not taken.
    double clip_norm = std::numeric_limits<double>::quiet_NaN();
    /// Limit of each element, after that.
    double clip_value = std::numeric_limits<double>::infinity();
    int threads = 0; ///< 0: the default
};

/// The scalars of one rule at one step number, ready for the loop.
struct alignas(16) ScalarBlock {
    unsigned char bytes[kScalarBytes];
};

/// Memory that a step needs for itself. Kept between steps only to save the allocation.
struct Workspace {
    std::vector<ScalarBlock> blocks;
    std::vector<int> block_of; ///< per tensor
    std::vector<double> sums;
};

/// Steps every tensor that has a gradient, and counts it. All arguments have been checked; only
/// std::bad_alloc is thrown, before anything is written. Returns the norm of all gradients if the
/// step took it, else NaN.
double step(Tensor *tensors, int64_t count, const Group *groups, const StepOptions &options,
            Workspace &work);

} // namespace optcore

#endif
