#ifndef OPTCORE_SCHEDULES_CONSTANT_H
#define OPTCORE_SCHEDULES_CONSTANT_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = value
class Constant final : public Schedule {
public:
    static constexpr const char *title = "Constant";

    explicit Constant(double value);
    double at(Count step) const noexcept override;

private:
    double value_;
};

} // namespace optcore::schedules

#endif
