#ifndef OPTCORE_SCHEDULES_ONE_CYCLE_H
#define OPTCORE_SCHEDULES_ONE_CYCLE_H

#include <string>

#include "schedule.h"
#include "shape.h"

namespace optcore::schedules {

/// What the rate and the momentum of a one-cycle policy have in common: three values and the steps
/// in between, which need not be whole,
///   first → middle at rise·total − 1, → last at total − 1;
/// or, in three phases, back to the first at 2·(rise·total − 1) before the last.
class Cycle {
public:
    struct Values {
        double first, middle, last;
    };

    Cycle(const char *title, Values values, Count total, double rise, Count phases,
          const std::string &shape);
    double at(Count step) const noexcept;

private:
    Values values_;
    double up_, down_, end_;
    Shape shape_;
};

/// From peak/div up to peak and down to peak/(div·final_div).
class OneCycle final : public Schedule {
public:
    static constexpr const char *title = "OneCycle";

    OneCycle(double peak, Count total, double rise, double div, double final_div, Count phases,
             const std::string &shape);
    double at(Count step) const noexcept override;

private:
    Cycle cycle_;
};

/// From high down to low, while the rate rises, and back.
class OneCycleMomentum final : public Schedule {
public:
    static constexpr const char *title = "OneCycleMomentum";

    OneCycleMomentum(double low, double high, Count total, double rise, Count phases,
                     const std::string &shape);
    double at(Count step) const noexcept override;

private:
    Cycle cycle_;
};

} // namespace optcore::schedules

#endif
