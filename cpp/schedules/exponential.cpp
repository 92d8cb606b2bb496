#include "exponential.h"

#include "../engine/elementary.h"
#include "check.h"

namespace optcore::schedules {

Exponential::Exponential(double initial, double gamma)
    : initial_(check::finite({title, "initial"}, initial)),
      gamma_(check::not_negative({title, "gamma"}, gamma)) {}

double Exponential::at(Count step) const noexcept { return initial_ * math::power(gamma_, step); }

ExponentialDecay::ExponentialDecay(double initial, double decay)
    : initial_(check::finite({title, "initial"}, initial)),
      decay_(check::not_negative({title, "decay"}, decay)) {}

double ExponentialDecay::at(Count step) const noexcept {
    return initial_ * math::exp(-decay_ * static_cast<double>(step));
}

} // namespace optcore::schedules
