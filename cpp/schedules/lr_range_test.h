#ifndef OPTCORE_SCHEDULES_LR_RANGE_TEST_H
#define OPTCORE_SCHEDULES_LR_RANGE_TEST_H

#include <string>

#include "schedule.h"

namespace optcore::schedules {

/// From low to high in `total` steps, by equal factors or equal differences; high after that.
class LRRangeTest final : public Schedule {
public:
    static constexpr const char *title = "LRRangeTest";

    LRRangeTest(double low, double high, Count total, const std::string &shape);
    double at(Count step) const noexcept override;

private:
    double low_, high_;
    Count total_;
    bool exponential_;
};

} // namespace optcore::schedules

#endif
