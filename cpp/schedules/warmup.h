#ifndef OPTCORE_SCHEDULES_WARMUP_H
#define OPTCORE_SCHEDULES_WARMUP_H

#include <string>

#include "cosine.h"
#include "schedule.h"

namespace optcore::schedules {

/// While k < warmup, from start to peak = into(0):
///   s(k) = start + (peak − start)·k/warmup               (linear),
///   s(k) = start·(peak/start)^(k/warmup)                 (exponential),
///   s(k) = start + (peak − start)·ln(k + 1)/ln(warmup)   (log; it arrives one step early),
/// then into(k − warmup).
class Warmup final : public Schedule {
public:
    static constexpr const char *title = "Warmup";

    Warmup(Count warmup, SchedulePtr into, double start, const std::string &shape);
    double at(Count step) const noexcept override;

private:
    enum class Ramp { linear, exponential, log };

    Count warmup_;
    SchedulePtr into_;
    double start_, peak_;
    Ramp ramp_;
    double log_warmup_;
};

/// Warmup into a cosine, `total` steps in all.
class WarmupCosine final : public Schedule {
public:
    static constexpr const char *title = "WarmupCosine";

    WarmupCosine(double peak, Count warmup, Count total, double floor, double start);
    double at(Count step) const noexcept override;
    void fill(const Count *steps, double *values, std::size_t n) const noexcept override;

private:
    double peak_;
    Count warmup_;
    double start_;
    Cosine into_;
};

} // namespace optcore::schedules

#endif
