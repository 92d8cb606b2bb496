#include "rex.h"

#include "between.h"
#include "check.h"

namespace optcore::schedules {

REX::REX(double initial, Count total, double floor)
    : initial_(check::finite({title, "initial"}, initial)),
      total_(check::some_steps({title, "total"}, total)),
      floor_(check::finite({title, "floor"}, floor)) {}

double REX::at(Count step) const noexcept {
    if (step >= total_)
        return floor_;
    const double left = fraction(total_ - step, total_);
    return between(floor_, initial_, 2 * left / (1 + left));
}

} // namespace optcore::schedules
