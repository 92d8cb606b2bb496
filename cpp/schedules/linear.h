#ifndef OPTCORE_SCHEDULES_LINEAR_H
#define OPTCORE_SCHEDULES_LINEAR_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = initial + (end − initial)·k/total, and end from step `total` on.
class Linear final : public Schedule {
public:
    static constexpr const char *title = "Linear";

    Linear(double initial, Count total, double end);
    double at(Count step) const noexcept override;

private:
    double initial_;
    Count total_;
    double end_;
};

} // namespace optcore::schedules

#endif
