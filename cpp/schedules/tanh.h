#ifndef OPTCORE_SCHEDULES_TANH_H
#define OPTCORE_SCHEDULES_TANH_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = floor + (initial − floor)·½·(1 − tanh z), z = lower + (upper − lower)·k/total; from step
/// `total` on z is upper.
class Tanh final : public Schedule {
public:
    static constexpr const char *title = "Tanh";

    Tanh(double initial, Count total, double lower, double upper, double floor);
    double at(Count step) const noexcept override;

private:
    double initial_;
    Count total_;
    double lower_, upper_, floor_;
};

} // namespace optcore::schedules

#endif
