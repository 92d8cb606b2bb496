#include "warmup.h"

#include <utility>

#include "between.h"
#include "check.h"

namespace optcore::schedules {

Warmup::Warmup(Count warmup, SchedulePtr into, double start)
    : warmup_(warmup), into_(check::given({title, "into"}, std::move(into))),
      start_(check::finite({title, "start"}, start)), peak_(into_->at(0)) {}

double Warmup::at(Count step) const noexcept {
    if (step >= warmup_)
        return into_->at(step - warmup_);
    return between(start_, peak_, fraction(step, warmup_));
}

WarmupCosine::WarmupCosine(double peak, Count warmup, Count total, double floor, double start)
    : peak_(check::finite({title, "peak"}, peak)),
      warmup_(check::shorter({title, "warmup"}, warmup, "total",
                             check::some_steps({title, "total"}, total))),
      start_(check::finite({title, "start"}, start)),
      into_(peak, total - warmup_, check::finite({title, "floor"}, floor)) {}

double WarmupCosine::at(Count step) const noexcept {
    if (step >= warmup_)
        return into_.at(step - warmup_);
    return between(start_, peak_, fraction(step, warmup_));
}

} // namespace optcore::schedules
