// Another schedule, read at other steps.
#ifndef OPTCORE_SCHEDULES_REINDEXED_H
#define OPTCORE_SCHEDULES_REINDEXED_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = of(k + offset), where a sum beyond the last step number means that last one.
class Shifted final : public Schedule {
public:
    static constexpr const char *title = "Shifted";

    Shifted(SchedulePtr of, Count offset);
    double at(Count step) const noexcept override;

private:
    SchedulePtr of_;
    Count offset_;
};

/// s(k) = of(⌊k / steps⌋): a schedule of epochs, read by steps.
class Every final : public Schedule {
public:
    static constexpr const char *title = "Every";

    Every(SchedulePtr of, Count steps);
    double at(Count step) const noexcept override;

private:
    SchedulePtr of_;
    Count steps_;
};

} // namespace optcore::schedules

#endif
