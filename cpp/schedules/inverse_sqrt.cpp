#include "inverse_sqrt.h"

#include <cmath>

#include "between.h"
#include "check.h"

namespace optcore::schedules {

InverseSqrt::InverseSqrt(double initial, Count timescale)
    : initial_(check::finite({title, "initial"}, initial)),
      timescale_(check::some_steps({title, "timescale"}, timescale)) {}

double InverseSqrt::at(Count step) const noexcept {
    return initial_ / std::sqrt(1 + fraction(step, timescale_));
}

} // namespace optcore::schedules
