#include "reindexed.h"

#include <limits>
#include <utility>

#include "check.h"

namespace optcore::schedules {

Shifted::Shifted(SchedulePtr of, Count offset)
    : of_(check::given({title, "of"}, std::move(of))), offset_(offset) {}

double Shifted::at(Count step) const noexcept {
    constexpr Count last = std::numeric_limits<Count>::max();
    return of_->at(step > last - offset_ ? last : step + offset_);
}

Every::Every(SchedulePtr of, Count steps)
    : of_(check::given({title, "of"}, std::move(of))),
      steps_(check::some_steps({title, "steps"}, steps)) {}

double Every::at(Count step) const noexcept { return of_->at(step / steps_); }

} // namespace optcore::schedules
