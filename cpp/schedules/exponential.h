#ifndef OPTCORE_SCHEDULES_EXPONENTIAL_H
#define OPTCORE_SCHEDULES_EXPONENTIAL_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = initial · gamma^(k/steps)
class Exponential final : public Schedule {
public:
    static constexpr const char *title = "Exponential";

    Exponential(double initial, double gamma, Count steps);
    double at(Count step) const noexcept override;

private:
    double initial_, gamma_;
    Count steps_;
};

/// s(k) = initial · exp(−decay·k/steps): the same family by the name of its rate.
class ExponentialDecay final : public Schedule {
public:
    static constexpr const char *title = "Exponential";

    ExponentialDecay(double initial, double decay, Count steps);
    double at(Count step) const noexcept override;

private:
    double initial_, decay_;
    Count steps_;
};

} // namespace optcore::schedules

#endif
