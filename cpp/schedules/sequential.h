#ifndef OPTCORE_SCHEDULES_SEQUENTIAL_H
#define OPTCORE_SCHEDULES_SEQUENTIAL_H

#include <vector>

#include "schedule.h"

namespace optcore::schedules {

/// One schedule after another, each from its own step 0 on: from boundaries[i − 1] on,
///   s(k) = schedules[i](k − boundaries[i − 1]).
class Sequential final : public Schedule {
public:
    static constexpr const char *title = "Sequential";

    Sequential(std::vector<SchedulePtr> schedules, std::vector<Count> boundaries);
    double at(Count step) const noexcept override;

private:
    std::vector<SchedulePtr> schedules_;
    std::vector<Count> boundaries_;
};

} // namespace optcore::schedules

#endif
