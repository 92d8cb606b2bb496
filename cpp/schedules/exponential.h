#ifndef OPTCORE_SCHEDULES_EXPONENTIAL_H
#define OPTCORE_SCHEDULES_EXPONENTIAL_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = initial · gammaᵏ
class Exponential final : public Schedule {
public:
    static constexpr const char *title = "Exponential";

    Exponential(double initial, double gamma);
    double at(Count step) const noexcept override;

private:
    double initial_, gamma_;
};

/// s(k) = initial · exp(−decay·k): the same family by the name of its rate.
class ExponentialDecay final : public Schedule {
public:
    static constexpr const char *title = "Exponential";

    ExponentialDecay(double initial, double decay);
    double at(Count step) const noexcept override;

private:
    double initial_, decay_;
};

} // namespace optcore::schedules

#endif
