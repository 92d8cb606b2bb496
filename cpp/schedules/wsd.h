#ifndef OPTCORE_SCHEDULES_WSD_H
#define OPTCORE_SCHEDULES_WSD_H

#include <string>

#include "schedule.h"

namespace optcore::schedules {

/// Warmup, stable, decay: a straight line from start to peak over `warmup` steps, the peak, and
/// over the last `decay` of `total` steps, with x from 0 to 1,
///   s(k) = floor + (peak − floor)·w(x),
/// w being 1 − x, (1 + cos(π·x))/2, 1 − √x or 1 − x².
class WSD final : public Schedule {
public:
    static constexpr const char *title = "WSD";

    WSD(double peak, Count warmup, Count total, Count decay, const std::string &tail, double floor,
        double start);
    double at(Count step) const noexcept override;

private:
    enum class Tail { linear, cosine, sqrt, square };

    double left_of(Count passed) const noexcept;

    double peak_;
    Count warmup_, total_, decay_;
    Tail tail_;
    double floor_, start_;
};

} // namespace optcore::schedules

#endif
