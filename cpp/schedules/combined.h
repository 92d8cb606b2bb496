// Several schedules at the same step, taken together from left to right.
#ifndef OPTCORE_SCHEDULES_COMBINED_H
#define OPTCORE_SCHEDULES_COMBINED_H

#include <vector>

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = of[0](k) · of[1](k) · …
class Product final : public Schedule {
public:
    static constexpr const char *title = "Product";

    explicit Product(std::vector<SchedulePtr> of);
    double at(Count step) const noexcept override;

private:
    std::vector<SchedulePtr> of_;
};

/// s(k) = of[0](k) + of[1](k) + …
class Sum final : public Schedule {
public:
    static constexpr const char *title = "Sum";

    explicit Sum(std::vector<SchedulePtr> of);
    double at(Count step) const noexcept override;

private:
    std::vector<SchedulePtr> of_;
};

} // namespace optcore::schedules

#endif
