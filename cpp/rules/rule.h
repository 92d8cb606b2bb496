// What every rule file builds on: plain structs, no code that runs in a loop.
//
// The rule headers open no namespace of their own. They are read once per ISA level, inside that
// level's private namespace (kernels/kernels.cpp), and once more for the host (rules/registry.cpp).
#ifndef OPTCORE_RULES_RULE_H
#define OPTCORE_RULES_RULE_H

#include <math.h>
#include <stdint.h>

#include "../engine/elementary.h"

namespace optcore {

constexpr int kMaxSlots = 4;
constexpr int kMaxScalars = 4;
constexpr int kMaxSums = 4;
constexpr int kMaxHypers = 18;
constexpr int kMaxOptions = 3;

/// What a step computes in.
enum class Dtype : int { f32 = 0, f64 = 1 };
constexpr int kDtypes = 2;

/// Where a hyperparameter may lie. All have to be finite.
enum class Range {
    any,
    non_negative,
    positive,
    below_one,
    inside_unit,
    unit,
    above_one,
    at_least_one,
    at_least_four,
    not_positive
};

/// One scalar hyperparameter: its name, and how torch's message begins when it is out of range.
struct Hyper {
    const char *name;
    Range range;
    const char *words;
};

/// A short list of names, at most four, ended by the first null.
struct Names {
    const char *at[4];
    constexpr int count() const {
        int n = 0;
        while (n < 4 && at[n])
            ++n;
        return n;
    }
};

class Powers; // engine/powers.h

/// What a rule is given, once per tensor and step, to work out its scalars in double.
struct RuleContext {
    double lr;
    double weight_decay; ///< for a rule with `own_decay`: 0 where the sweep does it
    const double *h;     ///< the rule's own hyperparameters, in the order of its `hypers`
    uint64_t t;          ///< the number of this step for this tensor: 1, 2, ...
    double *scalars;     ///< the tensor's float64 scalar state, updated in place
    Dtype dtype;
    Powers *powers;
    const double *sums; ///< what the rule's terms come to over the tensor; null: not known yet
    double size;        ///< elements of the tensor
    double keep;        ///< what decoupled decay leaves of the parameters before the rule

    /// 1 − baseᵗ
    double one_minus_power(double base) const;
};

/// A rule that returns a direction u; the sweep applies θ ← θ − rate·u.
///
/// A rule that needs a fact about the whole tensor first, such as ‖θ‖, says how many `sums` it
/// takes and has `template <int K> double term(T g, T p, T *slots) const` for each. It is
/// made twice: with `sums` null, to work out the terms, where it may not rely on its scalar state's
/// update, and then with their sums over the tensor; or, if it is `global`, over all tensors.
struct DirectionRule {
    static constexpr bool gives_direction = true;
    static constexpr int sums = 0;
    static constexpr bool global = false;
    static constexpr bool own_decay = false;    ///< coupled decay is part of the rule
    static constexpr bool maskable = false;     ///< cautious masks make sense: u stands for −step
    static constexpr unsigned non_negative = 0; ///< bit i: slot i never holds a negative number
    static constexpr Names options = {};
    static constexpr Names scalar_slots = {};
    static double rate(const RuleContext &c) { return c.lr; } // after the rule itself is made
};

/// A rule that returns the new parameter itself, because its rate sits inside a buffer.
struct ApplyRule : DirectionRule {
    static constexpr bool gives_direction = false;
};

} // namespace optcore

#endif
