// The scalars of rules, worked out once per tensor and step, in double.
#ifndef OPTCORE_ENGINE_RULE_SCALARS_H
#define OPTCORE_ENGINE_RULE_SCALARS_H

#include <vector>

#include "../rules/registry.h"
#include "powers.h"
#include "tensor.h"

namespace optcore {

/// Whether the sweep adds λ·θ to the gradient of this group.
inline bool decays_coupled(const Group &group) {
    return !group.decoupled && group.hyper[1] != 0 && !rule_info(group.rule).own_decay;
}

/// The scalars of one rule at one step number, ready for the loop.
struct alignas(16) ScalarBlock {
    unsigned char bytes[kScalarBytes];
};

/// The float64 scalars that a tensor keeps.
struct KeptScalars {
    double value[kMaxScalars] = {};

    void read(const Tensor &t);
    void write(const Tensor &t) const;
    bool operator==(const KeptScalars &other) const;
};

/// Works out scalars into `blocks`, which has room for them. Neighbours whose scalars are the same
/// share them: those that agree in all that decides them.
class RuleScalars {
public:
    RuleScalars(const Group *groups, double grad_factor, double clip_value, Powers &powers,
                std::vector<ScalarBlock> &blocks)
        : groups_(groups), grad_factor_(grad_factor), clip_value_(clip_value), powers_(powers),
          blocks_(blocks) {}

    /// For the step of that number. `sums` is what the rule's terms come to, or null.
    const void *operator()(const Tensor &t, uint64_t step, const double *sums);

    /// Updates the scalar state of the last tensor, which is this one.
    void update(const Tensor &t) const {
        if (t.scalar[0])
            after_.write(t);
    }

private:
    const Group *groups_;
    double grad_factor_, clip_value_;
    Powers &powers_;
    std::vector<ScalarBlock> &blocks_;
    // Of the last tensor, and its scalar state before and after.
    int group_ = -1;
    Dtype dtype_ = Dtype::f32;
    uint64_t step_ = 0;
    const double *sums_ = nullptr;
    KeptScalars before_, after_;
};

} // namespace optcore

#endif
