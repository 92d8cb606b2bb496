#ifndef OPTCORE_SCHEDULES_PIECEWISE_CONSTANT_H
#define OPTCORE_SCHEDULES_PIECEWISE_CONSTANT_H

#include <vector>

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = levels[number of boundaries ≤ k]; one level more than boundaries.
class PiecewiseConstant final : public Schedule {
public:
    static constexpr const char *title = "PiecewiseConstant";

    PiecewiseConstant(std::vector<double> levels, std::vector<Count> boundaries);
    double at(Count step) const noexcept override;

private:
    std::vector<double> levels_;
    std::vector<Count> boundaries_;
};

} // namespace optcore::schedules

#endif
