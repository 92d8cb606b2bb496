#ifndef OPTCORE_SCHEDULES_INVERSE_TIME_H
#define OPTCORE_SCHEDULES_INVERSE_TIME_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = initial / (1 + decay·k)
class InverseTime final : public Schedule {
public:
    static constexpr const char *title = "InverseTime";

    InverseTime(double initial, double decay);
    double at(Count step) const noexcept override;

private:
    double initial_, decay_;
};

} // namespace optcore::schedules

#endif
