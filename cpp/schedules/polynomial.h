#ifndef OPTCORE_SCHEDULES_POLYNOMIAL_H
#define OPTCORE_SCHEDULES_POLYNOMIAL_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = end + (initial − end)·(1 − k/total)^power, and end from step `total` on; or, with
/// `cycle`, over again, where total grows to the next multiple of itself that is not below k.
class Polynomial final : public Schedule {
public:
    static constexpr const char *title = "Polynomial";

    Polynomial(double initial, Count total, double power, double end, bool cycle);
    double at(Count step) const noexcept override;

private:
    double initial_;
    Count total_;
    double power_, end_;
    bool cycle_;
};

} // namespace optcore::schedules

#endif
