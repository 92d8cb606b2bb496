#ifndef OPTCORE_SCHEDULES_INVERSE_SQRT_H
#define OPTCORE_SCHEDULES_INVERSE_SQRT_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = initial / √(1 + k/timescale)
class InverseSqrt final : public Schedule {
public:
    static constexpr const char *title = "InverseSqrt";

    InverseSqrt(double initial, Count timescale);
    double at(Count step) const noexcept override;

private:
    double initial_;
    Count timescale_;
};

} // namespace optcore::schedules

#endif
