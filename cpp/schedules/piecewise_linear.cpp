#include "piecewise_linear.h"

#include <algorithm>
#include <utility>

#include "between.h"
#include "check.h"

namespace optcore::schedules {

PiecewiseLinear::PiecewiseLinear(std::vector<Count> steps, std::vector<double> levels,
                                 const std::string &shape)
    : steps_(check::in_order({title, "steps"}, std::move(steps))),
      levels_(check::finite({title, "levels"}, std::move(levels))),
      shape_(shape_of({title, "shape"}, shape)) {
    check::not_empty({title, "steps"}, steps_.size());
    check::as_many({title, "levels"}, levels_.size(), "steps", steps_.size());
}

double PiecewiseLinear::at(Count step) const noexcept {
    const auto next = std::upper_bound(steps_.begin(), steps_.end(), step);
    const auto i = static_cast<std::size_t>(next - steps_.begin());
    if (i == 0)
        return levels_.front();
    if (i == steps_.size())
        return levels_.back();
    const Count from = steps_[i - 1];
    return blend(shape_, levels_[i - 1], levels_[i], fraction(step - from, steps_[i] - from));
}

} // namespace optcore::schedules
