// One optimizer step over a whole model. The engine holds no state: all buffers are the caller's,
// and everything a step needs besides is in a workspace that the caller keeps or throws away.
#ifndef OPTCORE_ENGINE_STEP_H
#define OPTCORE_ENGINE_STEP_H

#include <limits>
#include <vector>

#include "norm.h"
#include "row_step.h"
#include "rule_scalars.h"
#include "tensor.h"

namespace optcore {

struct StepOptions {
    /// Limit of the norm of all gradients together; NaN: the norm is not taken.
    double clip_norm = std::numeric_limits<double>::quiet_NaN();
    /// Limit of each element, after that.
    double clip_value = std::numeric_limits<double>::infinity();
    int threads = 0;               ///< 0: the default
    double grad_scale = 1;         ///< what the gradients are divided by first
    bool refuse_nonfinite = false; ///< do nothing if a gradient is infinite or NaN
    bool zero_grads = false;       ///< set the gradients to zero afterwards
    bool stats = false;            ///< work out Workspace::stats
    double average_keep = 0;       ///< how much of the weight average stays
    uint64_t seed = 0;             ///< for stochastic rounding
};

struct StepResult {
    bool stepped = true; ///< false: refused, and nothing has changed
    double norm = std::numeric_limits<double>::quiet_NaN(); ///< unscaled; NaN if it was not taken
    Nonfinite nonfinite; ///< what was refused, or what the statistics found
};

/// Sums over one tensor: Σg² before scaling, Σ(θ' − θ)², Σθ², max |θ' − θ|.
using TensorStats = BlockStats;

/// What is to be done to one tensor.
struct Job {
    Tensor *tensor = nullptr;
    SweepLoop loop = nullptr; ///< null: its parameters stay as they are
    const void *scalars = nullptr;
    bool direct = false; ///< the loop runs straight over the caller's buffers
    int64_t first_stats = 0;
    const void *before = nullptr; ///< the parameters before the step of a rule with its own pass
    int64_t elements() const { return tensor->size; }
};

/// Memory that a step needs for itself. Kept between steps only to save the allocation.
struct Workspace {
    Powers powers;
    std::vector<ScalarBlock> blocks;
    std::vector<Job> jobs;
    std::vector<RowJob> row_jobs;
    std::vector<double> sums;
    std::vector<BlockStats> block_stats;
    std::vector<std::vector<unsigned char>> before; ///< see Job::before
    std::vector<TensorStats> stats;                 ///< per tensor, where they were asked for
};

/// What a step finds out about its gradients before it writes anything.
struct Examined {
    StepResult result;
    double factor = 1; ///< what they are to be multiplied by
};

/// Takes the norm of the gradients where an option asks for it, and looks for those that are not
/// finite. `now`: the statistics ask for it too, as the step itself will not see these gradients.
Examined examine(const Tensor *tensors, int64_t count, const StepOptions &options, bool now,
                 Workspace &work);

/// Steps every tensor that has a gradient, and counts it. All arguments have been checked; only
/// std::bad_alloc is thrown, before anything is written.
StepResult step(Tensor *tensors, int64_t count, const Group *groups, int64_t group_count,
                const StepOptions &options, Workspace &work);

} // namespace optcore

#endif
