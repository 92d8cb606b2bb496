// Another schedule with its values changed one by one.
#ifndef OPTCORE_SCHEDULES_MAPPED_H
#define OPTCORE_SCHEDULES_MAPPED_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = factor · of(k)
class Scaled final : public Schedule {
public:
    static constexpr const char *title = "Scaled";

    Scaled(SchedulePtr of, double factor);
    double at(Count step) const noexcept override;

private:
    SchedulePtr of_;
    double factor_;
};

/// s(k) = min(max(of(k), low), high); either limit may be infinite.
class Clipped final : public Schedule {
public:
    static constexpr const char *title = "Clipped";

    Clipped(SchedulePtr of, double low, double high);
    double at(Count step) const noexcept override;

private:
    SchedulePtr of_;
    double low_, high_;
};

} // namespace optcore::schedules

#endif
