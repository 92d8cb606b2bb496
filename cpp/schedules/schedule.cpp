#include "schedule.h"

#include "../engine/threads.h"

namespace optcore {

Schedule::~Schedule() = default;

void Schedule::range(const Count *steps, double *values, std::size_t n) const noexcept {
    for (std::size_t i = 0; i < n; ++i)
        values[i] = at(steps[i]);
}

void Schedule::fill(const Count *steps, double *values, std::size_t n) const noexcept {
    const auto total = static_cast<std::int64_t>(n);
    parallel(threads_for(total, 0), [&](int k, int of) {
        const Range64 own = share(total, k, of);
        range(steps + own.begin, values + own.begin, static_cast<std::size_t>(own.end - own.begin));
    });
}

} // namespace optcore
