#include "polynomial.h"

#include "../engine/elementary.h"
#include "between.h"
#include "check.h"

namespace optcore::schedules {

Polynomial::Polynomial(double initial, Count total, double power, double end)
    : initial_(check::finite({title, "initial"}, initial)),
      total_(check::some_steps({title, "total"}, total)),
      power_(check::positive({title, "power"}, power)), end_(check::finite({title, "end"}, end)) {}

double Polynomial::at(Count step) const noexcept {
    if (step >= total_)
        return end_;
    return between(end_, initial_, math::pow(fraction(total_ - step, total_), power_));
}

} // namespace optcore::schedules
