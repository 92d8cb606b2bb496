// What rules have to know of whole tensors before the step: one pass that only reads.
#ifndef OPTCORE_ENGINE_RULE_SUMS_H
#define OPTCORE_ENGINE_RULE_SUMS_H

#include <vector>

#include "rule_scalars.h"

namespace optcore {

/// The sums of the rules' terms: float64 over fixed blocks, added block by block, and for `global`
/// rules tensor by tensor, in order; so their bits depend on the tensors alone.
class RuleSums {
public:
    /// Notes which tensors have sums to take, and makes all the room that is needed.
    RuleSums(const Tensor *tensors, int64_t count, const Group *groups, int64_t group_count);

    bool empty() const { return jobs_.empty(); }
    void run(const Group *groups, double grad_factor, double clip_value, int threads,
             Powers &powers) noexcept;

    /// The sums of a tensor, by its position; null where its rule takes none.
    const double *of(int64_t tensor) const {
        return jobs_.empty() || first_[size_t(tensor)] < 0
                   ? nullptr
                   : &totals_[size_t(first_[size_t(tensor)])];
    }

private:
    struct Job {
        const Tensor *tensor;
        SumLoop loop;
        int count;      ///< of sums
        int64_t blocks; ///< where those of its blocks begin
        int64_t total;  ///< where its own are
        bool global;
        const void *scalars = nullptr;
        int64_t elements() const { return tensor->size; }
    };

    std::vector<Job> jobs_;
    std::vector<int64_t> first_;
    std::vector<double> block_sums_, totals_;
    std::vector<ScalarBlock> blocks_;
};

} // namespace optcore

#endif
