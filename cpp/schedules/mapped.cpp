#include "mapped.h"

#include <utility>

#include "check.h"

namespace optcore::schedules {

Scaled::Scaled(SchedulePtr of, double factor)
    : of_(check::given({title, "of"}, std::move(of))),
      factor_(check::finite({title, "factor"}, factor)) {}

double Scaled::at(Count step) const noexcept { return factor_ * of_->at(step); }

Clipped::Clipped(SchedulePtr of, double low, double high)
    : of_(check::given({title, "of"}, std::move(of))), low_(check::a_number({title, "low"}, low)),
      high_(check::at_least({title, "high"}, high, "low", low)) {}

double Clipped::at(Count step) const noexcept {
    const double value = of_->at(step); // a NaN stays one
    return value < low_ ? low_ : value > high_ ? high_ : value;
}

} // namespace optcore::schedules
