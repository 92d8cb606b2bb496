// 1 − baseⁿ, step after step: what one power has in common with the next is kept.
#ifndef OPTCORE_ENGINE_POWERS_H
#define OPTCORE_ENGINE_POWERS_H

#include "double_double.h"

namespace optcore {

/// The powers of one base in [0, 1], each carried in twice the precision and rounded once. The bits
/// do not depend on what was asked before.
class PowersOf {
public:
    double base() const { return base_; }
    void start(double base);
    double one_minus(std::uint64_t n);

private:
    double base_ = -1;
    int squarings_ = 0;     ///< that are known
    int ones_from_ = 64;    ///< squarings from here on are 1, to all digits
    std::uint64_t n_ = 0;   ///< the last power asked for
    math::Pair square_[64]; ///< 1 − base to the power of 1, 2, 4, ...
    math::Pair above_[65];  ///< 1 − base to the power of n_ without its k lowest bits
};

/// The powers of the few bases that a step has to do with.
class Powers {
public:
    double one_minus(double base, std::uint64_t n);

private:
    PowersOf kept_[4];
    unsigned next_ = 0;
};

} // namespace optcore

#endif
