// Powers of the same few numbers, step after step: the squarings are kept.
#ifndef OPTCORE_ENGINE_POWERS_H
#define OPTCORE_ENGINE_POWERS_H

#include "double_double.h"

namespace optcore {

class Powers {
public:
    /// math::one_minus_power(base, n), to the bit.
    double one_minus(double base, std::uint64_t n);

private:
    static constexpr int kBases = 4;
    struct Base {
        double base = 0;
        int squarings = 0; ///< that are known: 1 − base to the power of 1, 2, 4, ...
        math::Pair square[64];
        std::uint64_t n = 0; ///< the last power asked for
        double value = 0;
    };
    Base bases_[kBases];
    unsigned next_ = 0;
};

} // namespace optcore

#endif
