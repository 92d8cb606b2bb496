#include "inverse_time.h"

#include "check.h"

namespace optcore::schedules {

InverseTime::InverseTime(double initial, double decay)
    : initial_(check::finite({title, "initial"}, initial)),
      decay_(check::not_negative({title, "decay"}, decay)) {}

double InverseTime::at(Count step) const noexcept {
    return initial_ / (1 + decay_ * static_cast<double>(step));
}

} // namespace optcore::schedules
