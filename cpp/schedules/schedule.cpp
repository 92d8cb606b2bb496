#include "schedule.h"

#include "../engine/threads.h"

namespace optcore {

Schedule::~Schedule() = default;

void Schedule::fill(const Count *steps, double *values, std::size_t n) const noexcept {
    const auto total = static_cast<std::int64_t>(n);
    parallel(threads_for(total, 0), [&](int k, int of) {
        const Range64 own = share(total, k, of);
        for (std::int64_t i = own.begin; i < own.end; ++i)
            values[i] = at(steps[i]);
    });
}

} // namespace optcore
