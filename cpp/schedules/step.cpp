#include "step.h"

#include <algorithm>
#include <utility>

#include "../engine/elementary.h"
#include "check.h"

namespace optcore::schedules {

Step::Step(double initial, Count step_size, double gamma)
    : initial_(check::finite({title, "initial"}, initial)),
      step_size_(check::some_steps({title, "step_size"}, step_size)),
      gamma_(check::not_negative({title, "gamma"}, gamma)) {}

double Step::at(Count step) const noexcept {
    return initial_ * math::power(gamma_, step / step_size_);
}

MultiStep::MultiStep(double initial, std::vector<Count> milestones, double gamma)
    : initial_(check::finite({title, "initial"}, initial)),
      milestones_(check::in_order({title, "milestones"}, std::move(milestones))),
      gamma_(check::not_negative({title, "gamma"}, gamma)) {}

double MultiStep::at(Count step) const noexcept {
    const auto next = std::upper_bound(milestones_.begin(), milestones_.end(), step);
    return initial_ * math::power(gamma_, static_cast<Count>(next - milestones_.begin()));
}

} // namespace optcore::schedules
