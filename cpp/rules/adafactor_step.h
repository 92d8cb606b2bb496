// The part of Adafactor that is worked out once per tensor and step, in double, on the host.
// The formulas are in adafactor.h. Never included by a per-ISA object.
#ifndef OPTCORE_RULES_ADAFACTOR_STEP_H
#define OPTCORE_RULES_ADAFACTOR_STEP_H

#include <cmath>

#include "rule.h"

namespace optcore {

/// Laid out as Adafactor<T>.
template <class T>
struct AdafactorScalars {
    T keep_old, take_new, added, floor_v;
};

struct AdafactorStep {
    static constexpr Names vector_slots = {"variance"};
    static constexpr Names matrix_slots = {"row_var", "col_var"};
    static constexpr Hyper common[] = {
        {"lr", Range::non_negative, "Learning rate should be >= 0 but is: "},
        {"weight_decay", Range::non_negative, "weight_decay should be >= 0 but is: "}};
    static constexpr Hyper hypers[] = {
        {"beta2_decay", Range::not_positive, "beta2_decay should be <= 0 but is: "},
        {"eps1", Range::non_negative, "epsilon1 should be >= 0 but is: "},
        {"eps2", Range::non_negative, "epsilon2 should be >= 0 but is: "},
        {"d", Range::at_least_one, "Clipping threshold d should be >= 1 but is: "},
        {"beta2", Range::unit, "Invalid beta2 value: "},
        {"constant_beta2", Range::unit, "Invalid constant_beta2 flag: "},
        {"clamp_eps", Range::unit, "Invalid clamp_eps flag: "},
        {"relative_step", Range::unit, "Invalid relative_step flag: "},
        {"scale_parameter", Range::unit, "Invalid scale_parameter flag: "},
        {"normalize", Range::unit, "Invalid normalize flag: "},
        {"dtype_eps1", Range::unit,
         "Invalid dtype_eps1 flag: "}, // the dtype's epsilon in the place of eps1
        {"decay_offset", Range::any, "Invalid decay_offset value: "},
        {"scale_after_decay", Range::unit, "Invalid scale_after_decay flag: "},
        {"decay_times_rate", Range::unit, "Invalid decay_times_rate flag: "}};

    double keep, keep_old, take_new, rho, eps2, d, added, floor_mean, floor_v, scale;
    bool scale_parameter, normalize;

    explicit AdafactorStep(const RuleContext &c)
        : keep(1 - (c.h[13] != 0 ? c.lr * c.weight_decay : c.weight_decay)), eps2(c.h[2]),
          d(c.h[3]), scale(c.h[12] != 0 ? std::fabs(keep) : 1), scale_parameter(c.h[8] != 0),
          normalize(c.h[9] != 0) {
        const bool constant = c.h[5] != 0, clamp = c.h[6] != 0, relative = c.h[7] != 0;
        const double t = double(c.t) - c.h[11]; // 1 until the offset is reached
        take_new = constant ? 1 - c.h[4] : math::pow(t > 1 ? t : 1, c.h[0]);
        keep_old = constant ? c.h[4] : 1 - take_new;
        const double limit = 1 / std::sqrt(double(c.t));
        rho = relative && limit < c.lr ? limit : c.lr;
        const bool single = c.dtype == Dtype::f32;
        const double epsilon = single ? 0x1p-23 : 0x1p-52, smallest = single ? 0x1p-126 : 0x1p-1022;
        const double eps1 = c.h[10] != 0 ? epsilon : c.h[1];
        added = clamp ? 0 : eps1;
        // Never below the smallest normal number: a gradient of zero is a step of zero, not 0/0.
        floor_mean = clamp && eps1 > smallest ? eps1 : smallest;
        floor_v = clamp && eps1 * eps1 > smallest ? eps1 * eps1 : smallest;
    }

    /// The new factor of a row or column, from the mean of g² along it.
    double factor(double old, double mean) const {
        return keep_old * old + take_new * (mean + added);
    }

    /// What the factors of the rows are divided by, from their mean.
    double divisor(double mean) const {
        return !normalize ? 1 : mean < floor_mean ? floor_mean : mean;
    }

    /// The rate of this tensor, from Σθ² and Σu² over its n elements.
    double rate(double sum_p, double sum_u, double n) const {
        const double rms_p = std::sqrt(sum_p / n) * scale;
        const double rms_u = std::isinf(d) ? 0 : std::sqrt(sum_u / n) / d; // no limit, no division
        const double alpha = !scale_parameter ? rho : rho * (rms_p < eps2 ? eps2 : rms_p);
        return alpha / (rms_u < 1 ? 1 : rms_u);
    }
};

} // namespace optcore

#endif
