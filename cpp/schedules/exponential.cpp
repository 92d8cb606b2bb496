#include "exponential.h"

#include "../engine/elementary.h"
#include "between.h"
#include "check.h"

namespace optcore::schedules {

Exponential::Exponential(double initial, double gamma, Count steps)
    : initial_(check::finite({title, "initial"}, initial)),
      gamma_(check::not_negative({title, "gamma"}, gamma)),
      steps_(check::some_steps({title, "steps"}, steps)) {}

/// The whole part of the exponent apart, for a rounded k/steps would be off by more the larger it
/// is.
double Exponential::at(Count step) const noexcept {
    const double value = initial_ * math::power(gamma_, step / steps_);
    const Count rest = step % steps_;
    return rest == 0 ? value : value * math::pow(gamma_, fraction(rest, steps_));
}

ExponentialDecay::ExponentialDecay(double initial, double decay, Count steps)
    : initial_(check::finite({title, "initial"}, initial)),
      decay_(check::not_negative({title, "decay"}, decay)),
      steps_(check::some_steps({title, "steps"}, steps)) {}

double ExponentialDecay::at(Count step) const noexcept {
    return initial_ * math::exp(-decay_ * fraction(step, steps_));
}

} // namespace optcore::schedules
