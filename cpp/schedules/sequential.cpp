#include "sequential.h"

#include <algorithm>
#include <utility>

#include "check.h"

namespace optcore::schedules {

Sequential::Sequential(std::vector<SchedulePtr> schedules, std::vector<Count> boundaries)
    : schedules_(check::given({title, "schedules"}, std::move(schedules))),
      boundaries_(check::in_order({title, "boundaries"}, std::move(boundaries))) {
    check::as_many({title, "schedules"}, schedules_.size(), "boundaries + 1",
                   boundaries_.size() + 1);
}

double Sequential::at(Count step) const noexcept {
    const auto next = std::upper_bound(boundaries_.begin(), boundaries_.end(), step);
    const auto i = static_cast<std::size_t>(next - boundaries_.begin());
    return schedules_[i]->at(i == 0 ? step : step - boundaries_[i - 1]);
}

} // namespace optcore::schedules
