#ifndef OPTCORE_SCHEDULES_COSINE_H
#define OPTCORE_SCHEDULES_COSINE_H

#include "../engine/elementary.h"
#include "schedule.h"

namespace optcore::schedules {

/// s(k) = floor + (initial − floor)·((1 + cos(π·k/total))/2)^exponent, and floor from step `total`
/// on.
class Cosine final : public Schedule {
public:
    static constexpr const char *title = "Cosine";

    Cosine(double initial, Count total, double floor, double exponent);
    double at(Count step) const noexcept override;
    void fill(const Count *steps, double *values, std::size_t n) const noexcept override;

private:
    /// What half a cosine at its weight w leads to.
    double weighted(double w) const noexcept;

    double initial_;
    Count total_;
    double floor_, exponent_;
};

/// (1 + cos(π·x))/2, which falls from 1 to 0 as x goes from 0 to 1.
inline double half_cosine(double x) { return 0.5 * (1 + math::cos_pi(x)); }

} // namespace optcore::schedules

#endif
