#include "linear.h"

#include "between.h"
#include "check.h"

namespace optcore::schedules {

Linear::Linear(double initial, Count total, double end)
    : initial_(check::finite({title, "initial"}, initial)),
      total_(check::some_steps({title, "total"}, total)), end_(check::finite({title, "end"}, end)) {
}

double Linear::at(Count step) const noexcept {
    return between(initial_, end_, fraction(step, total_));
}

} // namespace optcore::schedules
