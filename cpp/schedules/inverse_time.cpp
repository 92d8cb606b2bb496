#include "inverse_time.h"

#include "between.h"
#include "check.h"

namespace optcore::schedules {

InverseTime::InverseTime(double initial, double decay, Count steps, bool staircase)
    : initial_(check::finite({title, "initial"}, initial)),
      decay_(check::not_negative({title, "decay"}, decay)),
      steps_(check::some_steps({title, "steps"}, steps)), staircase_(staircase) {}

double InverseTime::at(Count step) const noexcept {
    const Count whole = step / steps_;
    return initial_ /
           (1 + decay_ * (staircase_ ? static_cast<double>(whole) : fraction(step, steps_)));
}

} // namespace optcore::schedules
