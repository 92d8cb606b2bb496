#include "piecewise_constant.h"

#include <algorithm>
#include <utility>

#include "check.h"

namespace optcore::schedules {

PiecewiseConstant::PiecewiseConstant(std::vector<double> levels, std::vector<Count> boundaries)
    : levels_(check::finite({title, "levels"}, std::move(levels))),
      boundaries_(check::in_order({title, "boundaries"}, std::move(boundaries))) {
    check::as_many({title, "levels"}, levels_.size(), "boundaries + 1", boundaries_.size() + 1);
}

double PiecewiseConstant::at(Count step) const noexcept {
    const auto next = std::upper_bound(boundaries_.begin(), boundaries_.end(), step);
    return levels_[static_cast<std::size_t>(next - boundaries_.begin())];
}

} // namespace optcore::schedules
