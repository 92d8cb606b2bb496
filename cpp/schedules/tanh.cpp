#include "tanh.h"

#include "../engine/elementary.h"
#include "between.h"
#include "check.h"

namespace optcore::schedules {

Tanh::Tanh(double initial, Count total, double lower, double upper, double floor)
    : initial_(check::finite({title, "initial"}, initial)),
      total_(check::some_steps({title, "total"}, total)),
      lower_(check::finite({title, "lower"}, lower)),
      upper_(check::above({title, "upper"}, upper, "lower", lower)),
      floor_(check::finite({title, "floor"}, floor)) {}

/// ½·(1 − tanh z) = 1/(1 + e^2z), where nothing cancels.
double Tanh::at(Count step) const noexcept {
    const double z = between(lower_, upper_, fraction(step, total_));
    return between(floor_, initial_, 1 / (1 + math::exp(2 * z)));
}

} // namespace optcore::schedules
