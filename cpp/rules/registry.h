// What the rest of the library knows about rules: names, options, limits, and how to work out a
// rule's scalars. All of it is read off the rule files; nothing is written twice.
#ifndef OPTCORE_RULES_REGISTRY_H
#define OPTCORE_RULES_REGISTRY_H

#include <string>

#include "../kernels/table.h"

namespace optcore {

/// Hyperparameters that every rule has, before its own.
constexpr Hyper kCommonHypers[] = {
    {"lr", Range::non_negative, "Invalid learning rate: "},
    {"weight_decay", Range::non_negative, "Invalid weight_decay value: "}};
constexpr int kCommonHyperCount = 2;

/// The step's own values, before they are rounded into Common<T>.
struct StepScalars {
    double grad_factor, clip_value, l2, keep;
    bool masked, mask_update, mask_decay;
};

struct RuleInfo {
    const char *name;
    bool factored;
    bool rowwise;
    Names options;       ///< bit i of a variant is options.at[i]
    Names scalar_slots;  ///< float64 values per tensor
    const Hyper *common; ///< lr and weight_decay
    const Hyper *hypers; ///< the rule's own
    int hyper_count;
    int sums;                         ///< that it takes over a tensor before the step
    bool global;                      ///< or over all tensors
    bool own_decay, maskable;         ///< see DirectionRule
    unsigned non_negative;            ///< bit i: slot i holds no negative number
    Names (*slots)(unsigned variant); ///< a factored rule: variant 0 vectors, 1 matrices
    /// Writes Scalars<T, Rule>, or MaskedScalars<T, Rule>. For all but factored rules.
    void (*prepare)(unsigned variant, Dtype, const RuleContext &, const StepScalars &, void *out);

    const Hyper &hyper(int i) const {
        return i < kCommonHyperCount ? common[i] : hypers[i - kCommonHyperCount];
    }
    int hypers_in_all() const { return kCommonHyperCount + hyper_count; }
};

const RuleInfo &rule_info(RuleId rule);

/// The rule of that name, or null.
const RuleInfo *find_rule(const std::string &name, RuleId *id);

/// Empty if the value is allowed, else torch's words, the value, and what is allowed.
/// `name` is what the message calls it, if not its own name.
std::string hyper_error(const Hyper &hyper, double value, const char *name = nullptr);

} // namespace optcore

#endif
