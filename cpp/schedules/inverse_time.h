#ifndef OPTCORE_SCHEDULES_INVERSE_TIME_H
#define OPTCORE_SCHEDULES_INVERSE_TIME_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = initial / (1 + decay·k/steps), or as a staircase with ⌊k/steps⌋.
class InverseTime final : public Schedule {
public:
    static constexpr const char *title = "InverseTime";

    InverseTime(double initial, double decay, Count steps, bool staircase);
    double at(Count step) const noexcept override;

private:
    double initial_, decay_;
    Count steps_;
    bool staircase_;
};

} // namespace optcore::schedules

#endif
