#ifndef OPTCORE_SCHEDULES_WARMUP_H
#define OPTCORE_SCHEDULES_WARMUP_H

#include "cosine.h"
#include "schedule.h"

namespace optcore::schedules {

/// s(k) = start + (into(0) − start)·k/warmup while k < warmup, then into(k − warmup).
class Warmup final : public Schedule {
public:
    static constexpr const char *title = "Warmup";

    Warmup(Count warmup, SchedulePtr into, double start);
    double at(Count step) const noexcept override;

private:
    Count warmup_;
    SchedulePtr into_;
    double start_, peak_;
};

/// Warmup into a cosine, `total` steps in all.
class WarmupCosine final : public Schedule {
public:
    static constexpr const char *title = "WarmupCosine";

    WarmupCosine(double peak, Count warmup, Count total, double floor, double start);
    double at(Count step) const noexcept override;

private:
    double peak_;
    Count warmup_;
    double start_;
    Cosine into_;
};

} // namespace optcore::schedules

#endif
