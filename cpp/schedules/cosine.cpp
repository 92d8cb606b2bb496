#include "cosine.h"

#include "between.h"
#include "check.h"

namespace optcore::schedules {

Cosine::Cosine(double initial, Count total, double floor, double exponent)
    : initial_(check::finite({title, "initial"}, initial)),
      total_(check::some_steps({title, "total"}, total)),
      floor_(check::finite({title, "floor"}, floor)),
      exponent_(check::positive({title, "exponent"}, exponent)) {}

double Cosine::at(Count step) const noexcept {
    if (step >= total_)
        return floor_;
    const double w = half_cosine(fraction(step, total_));
    return between(floor_, initial_, exponent_ == 1 ? w : math::pow(w, exponent_));
}

} // namespace optcore::schedules
