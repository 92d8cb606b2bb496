#include "powers.h"

namespace optcore {

using math::Pair;

void PowersOf::start(double base) {
    base_ = base;
    squarings_ = 0;
    ones_from_ = 64;
    n_ = 0;
    for (Pair &each : above_)
        each = {0, 0};
}

double PowersOf::one_minus(std::uint64_t n) {
    // Repeated squaring, but of 1 − baseᵏ: the relative error does not grow with n.
    for (; squarings_ < ones_from_ && squarings_ < 64 && n >> squarings_ != 0; ++squarings_) {
        const int k = squarings_;
        square_[k] = k == 0 ? math::two_sum(1, -base_)
                            : math::complement_of_product(square_[k - 1], square_[k - 1]);
        if (square_[k].hi == 1 && square_[k].lo == 0)
            ones_from_ = k;
    }
    if (ones_from_ < 64 && n >> ones_from_ != 0)
        return 1;
    // From the highest bit that is not as it was last time: mostly one of the lowest.
    int k = 0;
    while (k < 64 && (n_ ^ n) >> k != 0)
        ++k;
    while (k-- > 0)
        above_[k] =
            n >> k & 1 ? math::complement_of_product(above_[k + 1], square_[k]) : above_[k + 1];
    n_ = n;
    return above_[0].hi;
}

double Powers::one_minus(double base, std::uint64_t n) {
    for (PowersOf &powers : kept_)
        if (powers.base() == base)
            return powers.one_minus(n);
    PowersOf &powers = kept_[next_++ % 4];
    powers.start(base);
    return powers.one_minus(n);
}

} // namespace optcore
