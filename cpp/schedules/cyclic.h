#ifndef OPTCORE_SCHEDULES_CYCLIC_H
#define OPTCORE_SCHEDULES_CYCLIC_H

#include <string>

#include "schedule.h"

namespace optcore::schedules {

/// Up from low to high in `up` steps, down again in `down` steps, over and over:
///   s(k) = low + (high − low)·w·f
/// with w from 0 up to 1 and down to 0, and the factor f of cycle c = 0, 1, …: 1 (triangular),
/// 2^−c (triangular2) or gammaᵏ (exp_range).
class Cyclic final : public Schedule {
public:
    static constexpr const char *title = "Cyclic";

    Cyclic(double low, double high, Count up, Count down, const std::string &mode, double gamma);
    double at(Count step) const noexcept override;

private:
    enum class Mode { triangular, triangular2, exp_range };

    double low_, high_;
    Count up_, down_;
    Mode mode_;
    double gamma_;
};

} // namespace optcore::schedules

#endif
