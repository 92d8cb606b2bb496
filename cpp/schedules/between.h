#ifndef OPTCORE_SCHEDULES_BETWEEN_H
#define OPTCORE_SCHEDULES_BETWEEN_H

#include <algorithm>

namespace optcore::schedules {

/// from + (to − from)·w for w in [0, 1]: exact at both ends, never outside them, monotone in w.
/// The plain formula may miss `to`, or pass it, by one rounding.
inline double between(double from, double to, double w) {
    if (w <= 0)
        return from;
    if (w >= 1)
        return to;
    return std::clamp(from + (to - from) * w, std::min(from, to), std::max(from, to));
}

/// part / whole as a double, for whole > 0.
inline double fraction(unsigned long long part, unsigned long long whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
}

} // namespace optcore::schedules

#endif
