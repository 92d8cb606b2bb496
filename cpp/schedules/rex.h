#ifndef OPTCORE_SCHEDULES_REX_H
#define OPTCORE_SCHEDULES_REX_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = floor + (initial − floor)·(1 − x)/(½ + ½·(1 − x)), x = k/total, and floor from step
/// `total` on.
class REX final : public Schedule {
public:
    static constexpr const char *title = "REX";

    REX(double initial, Count total, double floor);
    double at(Count step) const noexcept override;

private:
    double initial_;
    Count total_;
    double floor_;
};

} // namespace optcore::schedules

#endif
