#include "combined.h"

#include <utility>

#include "check.h"

namespace optcore::schedules {

Product::Product(std::vector<SchedulePtr> of) : of_(check::given({title, "of"}, std::move(of))) {}

double Product::at(Count step) const noexcept {
    double value = of_[0]->at(step);
    for (std::size_t i = 1; i < of_.size(); ++i)
        value *= of_[i]->at(step);
    return value;
}

Sum::Sum(std::vector<SchedulePtr> of) : of_(check::given({title, "of"}, std::move(of))) {}

double Sum::at(Count step) const noexcept {
    double value = of_[0]->at(step);
    for (std::size_t i = 1; i < of_.size(); ++i)
        value += of_[i]->at(step);
    return value;
}

} // namespace optcore::schedules
