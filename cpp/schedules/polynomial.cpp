#include "polynomial.h"

#include "../engine/elementary.h"
#include "between.h"
#include "check.h"

namespace optcore::schedules {

Polynomial::Polynomial(double initial, Count total, double power, double end, bool cycle)
    : initial_(check::finite({title, "initial"}, initial)),
      total_(check::some_steps({title, "total"}, total)),
      power_(check::positive({title, "power"}, power)), end_(check::finite({title, "end"}, end)),
      cycle_(cycle) {}

double Polynomial::at(Count step) const noexcept {
    if (step <= total_)
        return between(end_, initial_, math::pow(fraction(total_ - step, total_), power_));
    if (!cycle_)
        return end_;
    // How far it is to the next multiple of total, which may itself be no step number.
    const Count left = total_ - 1 - (step - 1) % total_;
    const double whole = static_cast<double>(step) + static_cast<double>(left);
    return between(end_, initial_, math::pow(static_cast<double>(left) / whole, power_));
}

} // namespace optcore::schedules
