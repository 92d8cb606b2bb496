#ifndef OPTCORE_SCHEDULES_PIECEWISE_LINEAR_H
#define OPTCORE_SCHEDULES_PIECEWISE_LINEAR_H

#include <string>
#include <vector>

#include "schedule.h"
#include "shape.h"

namespace optcore::schedules {

/// From point to point: s(steps[i]) = levels[i], between two of them a straight line or half a
/// cosine; the first value before the first point, the last one from the last point on. Of two
/// points at one step the second counts from that step on.
class PiecewiseLinear final : public Schedule {
public:
    static constexpr const char *title = "PiecewiseLinear";

    PiecewiseLinear(std::vector<Count> steps, std::vector<double> levels, const std::string &shape);
    double at(Count step) const noexcept override;

private:
    std::vector<Count> steps_;
    std::vector<double> levels_;
    Shape shape_;
};

} // namespace optcore::schedules

#endif
