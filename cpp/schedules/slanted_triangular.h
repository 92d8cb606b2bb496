#ifndef OPTCORE_SCHEDULES_SLANTED_TRIANGULAR_H
#define OPTCORE_SCHEDULES_SLANTED_TRIANGULAR_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = peak·(1 + p·(ratio − 1))/ratio, where p rises from 0 to 1 over the first ⌊cut·total⌋
/// steps, falls to 0 over the others, and stays there.
class SlantedTriangular final : public Schedule {
public:
    static constexpr const char *title = "SlantedTriangular";

    SlantedTriangular(double peak, Count total, double cut, double ratio);
    double at(Count step) const noexcept override;

private:
    double peak_, low_;
    Count top_, total_;
};

} // namespace optcore::schedules

#endif
