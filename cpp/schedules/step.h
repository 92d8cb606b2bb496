// Staircases: the value is multiplied by gamma at certain steps and stays between them.
#ifndef OPTCORE_SCHEDULES_STEP_H
#define OPTCORE_SCHEDULES_STEP_H

#include <vector>

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = initial · gamma^⌊k / step_size⌋
class Step final : public Schedule {
public:
    static constexpr const char *title = "Step";

    Step(double initial, Count step_size, double gamma);
    double at(Count step) const noexcept override;

private:
    double initial_;
    Count step_size_;
    double gamma_;
};

/// s(k) = initial · gamma^(number of milestones ≤ k). One that is listed twice counts twice.
class MultiStep final : public Schedule {
public:
    static constexpr const char *title = "MultiStep";

    MultiStep(double initial, std::vector<Count> milestones, double gamma);
    double at(Count step) const noexcept override;

private:
    double initial_;
    std::vector<Count> milestones_;
    double gamma_;
};

} // namespace optcore::schedules

#endif
