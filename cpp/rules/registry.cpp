#include "registry.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "../engine/powers.h"
#include "adafactor_step.h"

namespace optcore {
namespace {

#include "../kernels/scalar.h"
#include "all.h"

/// The limits of the masks, and what the elements that are left are multiplied by: their share.
template <class T>
Masks<T> masks_of(const RuleContext &c, const StepScalars &s) {
    constexpr double off = std::numeric_limits<double>::quiet_NaN(); // nothing is below it
    const double share = c.sums && s.mask_update ? c.sums[0] / c.size : 1;
    return {T(s.mask_update ? 0 : off), T(s.mask_decay ? 0 : off),
            T(1 / (share < 1e-3 ? 1e-3 : share))};
}

template <class T, class Rule>
void prepare_scalars(const RuleContext &context, const StepScalars &s, void *out) {
    static_assert(sizeof(Scalars<T, Rule>) <= kScalarBytes, "raise kScalarBytes");
    const Rule rule(context); // first: it may update the scalars that the rate depends on
    const Common<T> common = {T(s.grad_factor), T(s.clip_value), T(s.l2), T(s.keep),
                              T(Rule::rate(context))};
    if constexpr (Rule::maskable) {
        static_assert(sizeof(MaskedScalars<T, Rule>) <= kScalarBytes, "raise kScalarBytes");
        static_assert(Rule::sums == 0, "the mask takes the one sum there is");
        if (s.masked) {
            new (out) MaskedScalars<T, Rule>{common, rule, masks_of<T>(context, s)};
            return;
        }
    }
    new (out) Scalars<T, Rule>{common, rule};
}

template <template <class, unsigned> class Rule, int Options, unsigned V = 0>
void prepare_rule(unsigned variant, Dtype dtype, const RuleContext &context, const StepScalars &s,
                  void *out) {
    if constexpr (V < (1u << Options)) {
        if (variant != V)
            return prepare_rule<Rule, Options, V + 1>(variant, dtype, context, s, out);
        if (dtype == Dtype::f32)
            prepare_scalars<float, Rule<float, V>>(context, s, out);
        else
            prepare_scalars<double, Rule<double, V>>(context, s, out);
    }
}

template <template <class, unsigned> class Rule, int Options, unsigned V = 0>
Names rule_slots(unsigned variant) {
    if constexpr (V < (1u << Options))
        return variant == V ? Rule<float, V>::slots : rule_slots<Rule, Options, V + 1>(variant);
    else
        return {};
}

template <class T, int N>
constexpr int length(const T (&)[N]) {
    return N;
}

template <template <class, unsigned> class Rule, int Options>
constexpr RuleInfo elementwise(const char *name) {
    using R = Rule<float, 0>;
    static_assert(R::options.count() == Options, "rules.def and the rule disagree on its options");
    static_assert(length(R::hypers) + kCommonHyperCount <= kMaxHypers, "raise kMaxHypers");
    return {name,
            false,
            false,
            R::options,
            R::scalar_slots,
            kCommonHypers,
            R::hypers,
            length(R::hypers),
            R::sums,
            R::global,
            R::own_decay,
            R::maskable,
            R::non_negative,
            &rule_slots<Rule, Options>,
            &prepare_rule<Rule, Options>};
}

constexpr RuleInfo factored(const char *name) {
    using R = AdafactorStep;
    static_assert(length(R::hypers) + kCommonHyperCount <= kMaxHypers, "raise kMaxHypers");
    return {name,      true,
            false,     {},
            {},        R::common,
            R::hypers, length(R::hypers),
            0,         false,
            false,     false,
            0,         [](unsigned variant) { return variant ? R::matrix_slots : R::vector_slots; },
            nullptr};
}

/// A row-wise rule has no options.
template <template <class> class Rule>
void prepare_rowwise(unsigned, Dtype dtype, const RuleContext &context, const StepScalars &s,
                     void *out) {
    if (dtype == Dtype::f32)
        prepare_scalars<float, Rule<float>>(context, s, out);
    else
        prepare_scalars<double, Rule<double>>(context, s, out);
}

template <template <class> class Rule>
constexpr RuleInfo rowwise(const char *name) {
    using R = Rule<float>;
    static_assert(length(R::hypers) + kCommonHyperCount <= kMaxHypers, "raise kMaxHypers");
    return {name,
            false,
            true,
            {},
            {},
            kCommonHypers,
            R::hypers,
            length(R::hypers),
            R::sums,
            R::global,
            R::own_decay,
            R::maskable,
            R::non_negative,
            [](unsigned) { return R::slots; },
            &prepare_rowwise<Rule>};
}

#define OPTCORE_RULE(name, Type, options) elementwise<Type, options>(#name),
#define OPTCORE_FACTORED_RULE(name, Type) factored(#name),
#define OPTCORE_ROWWISE_RULE(name, Type) rowwise<Type>(#name),
constexpr RuleInfo kInfos[] = {
#include "rules.def"
};

bool allowed(Range range, double x) {
    switch (range) {
    case Range::any: return true;
    case Range::non_negative: return x >= 0;
    case Range::positive: return x > 0;
    case Range::below_one: return x >= 0 && x < 1;
    case Range::inside_unit: return x > 0 && x < 1;
    case Range::unit: return x >= 0 && x <= 1;
    case Range::above_one: return x > 1;
    case Range::at_least_one: return x >= 1;
    case Range::at_least_four: return x >= 4;
    case Range::not_positive: return x <= 0;
    }
    return false;
}

const char *wanted(Range range) {
    switch (range) {
    case Range::any: return "a finite number";
    case Range::non_negative: return "a finite number, 0 or more";
    case Range::positive: return "a finite number above 0";
    case Range::below_one: return "a number in [0, 1)";
    case Range::inside_unit: return "a number in (0, 1)";
    case Range::unit: return "a number in [0, 1]";
    case Range::above_one: return "a finite number above 1";
    case Range::at_least_one: return "a number, 1 or more";
    case Range::at_least_four: return "a finite number, 4 or more";
    case Range::not_positive: return "a finite number, 0 or less";
    }
    return "";
}

/// The number as Python shows it: the shortest digits that read back as the same.
std::string shown(double value) {
    if (std::isnan(value))
        return "nan";
    char text[400];
    for (int digits = 1; digits <= 17; ++digits) {
        std::snprintf(text, sizeof text, "%.*g", digits, value);
        if (std::strtod(text, nullptr) == value)
            break;
    }
    const double size = std::fabs(value);
    if (std::strchr(text, 'e') && size >= 1e-4 && size < 1e16)
        std::snprintf(text, sizeof text, "%.0f", value);
    std::string number = text;
    if (number.find_first_not_of("-0123456789") == std::string::npos)
        number += ".0";
    return number;
}

} // namespace

double RuleContext::one_minus_power(double base) const { return powers->one_minus(base, t); }

const RuleInfo &rule_info(RuleId rule) { return kInfos[static_cast<int>(rule)]; }

const RuleInfo *find_rule(const std::string &name, RuleId *id) {
    for (int i = 0; i < kRules; ++i)
        if (name == kInfos[i].name) {
            *id = static_cast<RuleId>(i);
            return &kInfos[i];
        }
    return nullptr;
}

std::string hyper_error(const Hyper &hyper, double value, const char *name) {
    // Infinity is meaningful only for limits, such as Adafactor's clipping threshold.
    const bool finite =
        hyper.range == Range::at_least_one ? !std::isnan(value) : std::isfinite(value);
    if (finite && allowed(hyper.range, value))
        return "";
    return hyper.words + shown(value) + " (" + (name ? name : hyper.name) + " has to be " +
           wanted(hyper.range) + ")";
}

} // namespace optcore
