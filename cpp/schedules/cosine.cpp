#include "cosine.h"

#include <algorithm>

#include "between.h"
#include "check.h"

namespace optcore::schedules {

Cosine::Cosine(double initial, Count total, double floor, double exponent)
    : initial_(check::finite({title, "initial"}, initial)),
      total_(check::some_steps({title, "total"}, total)),
      floor_(check::finite({title, "floor"}, floor)),
      exponent_(check::positive({title, "exponent"}, exponent)) {}

double Cosine::weighted(double w) const noexcept {
    return between(floor_, initial_, exponent_ == 1 ? w : math::pow(w, exponent_));
}

double Cosine::at(Count step) const noexcept {
    return step >= total_ ? floor_ : weighted(half_cosine(fraction(step, total_)));
}

void Cosine::fill(const Count *steps, double *values, std::size_t n) const noexcept {
    constexpr std::size_t block = 256;
    double x[block], cosines[block];
    for (std::size_t begin = 0; begin < n; begin += block) {
        const std::size_t size = std::min(block, n - begin);
        for (std::size_t i = 0; i < size; ++i)
            x[i] = fraction(std::min(steps[begin + i], total_), total_); // cos π leads to the floor
        math::cosines_pi(x, cosines, size);
        for (std::size_t i = 0; i < size; ++i)
            values[begin + i] = weighted(0.5 * (1 + cosines[i]));
    }
}

} // namespace optcore::schedules
