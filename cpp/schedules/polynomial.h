#ifndef OPTCORE_SCHEDULES_POLYNOMIAL_H
#define OPTCORE_SCHEDULES_POLYNOMIAL_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = end + (initial − end)·(1 − k/total)^power, and end from step `total` on.
class Polynomial final : public Schedule {
public:
    static constexpr const char *title = "Polynomial";

    Polynomial(double initial, Count total, double power, double end);
    double at(Count step) const noexcept override;

private:
    double initial_;
    Count total_;
    double power_, end_;
};

} // namespace optcore::schedules

#endif
