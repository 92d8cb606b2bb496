#include "schedule.h"

namespace optcore {

Schedule::~Schedule() = default;

void Schedule::fill(const Count *steps, double *values, std::size_t n) const noexcept {
    for (std::size_t i = 0; i < n; ++i)
        values[i] = at(steps[i]);
}

} // namespace optcore
