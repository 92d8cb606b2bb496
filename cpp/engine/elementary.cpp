// exp, log and what is made of them. The series are Taylor's: their coefficients are plain
// reciprocals that anybody can check, and two or three terms more than a fitted polynomial would
// need are no loss here. Where the leading terms would lose bits they are carried as pairs.
#include "elementary.h"

#include "powers.h"

#include <limits>

#include "double_double.h"

namespace optcore::math {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kTwo53 = 9007199254740992.0;

/// ln 2 in two parts; the first has 42 bits, so that k times it is exact for every exponent k.
constexpr Pair kLn2 = {0x1.62e42fefa3800p-1, 0x1.ef35793c76730p-45};
constexpr double kLog2E = 0x1.71547652b82fep+0;
constexpr double kSqrt2 = 0x1.6a09e667f3bcdp+0;

double absolute(double x) { return from_bits(bits_of(x) & 0x7fffffffffffffff); }
bool is_negative(double x) { return bits_of(x) >> 63; }
bool is_nan(double x) { return x != x; }

/// x · 2ᵏ, rounded once: the first of the two factors never leaves the normal range.
double times_power_of_two(double x, int k) {
    return x * power_of_two(k / 2) * power_of_two(k - k / 2);
}

/// A number as 2ᵏ · (1 + p).
struct Scaled {
    int k;
    Pair p;
};

/// e^x for |x| ≤ 800. With x = k·ln 2 + r and |r| ≤ ½ ln 2,
///   p = e^r − 1 = r + r²/2 + r³·(1/3! + r/4! + …),
/// relative to p good to a few hundredths of an ulp: r and r² are exact, only r³ is rounded.
Scaled exp_scaled(Pair x) {
    const int k = static_cast<int>(x.hi * kLog2E + (x.hi < 0 ? -0.5 : 0.5));
    const Pair r = two_sum(x.hi - k * kLn2.hi, x.lo - k * kLn2.lo);
    const Pair square = two_product(r.hi, r.hi);

    static constexpr double coefficients[] = {
        1 / 1307674368000.0, 1 / 87178291200.0, 1 / 6227020800.0, 1 / 479001600.0, 1 / 39916800.0,
        1 / 3628800.0,       1 / 362880.0,      1 / 40320.0,      1 / 5040.0,      1 / 720.0,
        1 / 120.0,           1 / 24.0,          1 / 6.0};
    double series = 0;
    for (const double c : coefficients)
        series = series * r.hi + c;

    const Pair leading = fast_two_sum(r.hi, 0.5 * square.hi);
    const double rest = (0.5 * square.lo + (r.lo + r.hi * r.lo)) + square.hi * r.hi * series;
    return {k, fast_two_sum(leading.hi, leading.lo + rest)};
}

/// e^x as a double; the caller has dealt with results beyond its range.
double exp_rounded(Pair x) {
    const Scaled s = exp_scaled(x);
    const Pair sum = fast_two_sum(1.0, s.p.hi);
    return times_power_of_two(sum.hi + (sum.lo + s.p.lo), s.k);
}

/// ln x for finite x > 0, to about 2⁻⁷⁰ of itself. With x = 2ᵏ·m and m from √½ to √2,
///   ln m = 2·artanh(s) = 2s·(1 + s²/3 + s⁴/5 + …),   s = (m − 1)/(m + 1).
Pair log_pair(double x) {
    int k = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        k = -54;
    }
    const std::uint64_t bits = bits_of(x);
    k += static_cast<int>(bits >> 52) - 1023;
    double m = from_bits((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
    if (m > kSqrt2) {
        m *= 0.5;
        ++k;
    }

    const Pair s = divide({m - 1, 0}, two_sum(m, 1));
    const Pair square = multiply(s, s);
    double tail = 0; // from s⁶/7 on, where one double is enough
    for (int odd = 29; odd >= 7; odd -= 2)
        tail = tail * square.hi + 1.0 / odd;
    constexpr Pair third = {0x1.5555555555555p-2, 0x1.5555555555555p-56};
    constexpr Pair fifth = {0x1.999999999999ap-3, -0x1.999999999999ap-57};
    Pair series = add(multiply(square, {tail, 0}), fifth);
    series = add(multiply(square, series), third);
    series = add(s, multiply(multiply(s, square), series));
    return add(two_sum(k * kLn2.hi, k * kLn2.lo), scale(series, 2));
}

/// e^(logarithm · y), for any finite y.
double exp_of_product(Pair logarithm, Pair y) {
    const double estimate = logarithm.hi * y.hi;
    if (estimate > 800)
        return kInfinity;
    if (estimate < -800)
        return 0;
    if (absolute(estimate) < 0x1p-60)
        return 1; // and the factors may be too small for an exact product
    return exp_rounded(multiply(logarithm, y));
}

} // namespace

double exp(double x) {
    if (is_nan(x))
        return x;
    if (x > 710)
        return kInfinity;
    if (x < -746)
        return 0;
    return exp_rounded({x, 0});
}

double log(double x) {
    if (is_nan(x) || x == kInfinity)
        return x;
    if (x == 0)
        return -kInfinity;
    if (x < 0)
        return kNaN;
    return log_pair(x).hi;
}

double pow(double x, double y) {
    if (y == 0 || x == 1)
        return 1;
    if (is_nan(x) || is_nan(y))
        return kNaN;
    if (y == 1)
        return x;
    const double size = absolute(x), length = absolute(y);
    if (length == kInfinity)
        return size == 1 ? 1 : (size > 1) == (y > 0) ? kInfinity : 0;
    // From 2⁵³ on every double is an even integer.
    const std::int64_t nearest = length < kTwo53 ? static_cast<std::int64_t>(y) : 0;
    const bool integer = length >= kTwo53 || static_cast<double>(nearest) == y;
    const bool flip = is_negative(x) && integer && (nearest & 1);
    if (size == 0 || size == kInfinity) {
        const double result = (size == kInfinity) == (y > 0) ? kInfinity : 0;
        return flip ? -result : result;
    }
    if (x < 0 && !integer)
        return kNaN;
    const double result = exp_of_product(log_pair(size), {y, 0});
    return flip ? -result : result;
}

/// tanh a = E/(E + 2) with E = e^2a − 1.
double tanh(double x) {
    const double size = absolute(x);
    if (is_nan(x) || size < 0x1p-28)
        return x; // x³/3 is below half an ulp
    double result = 1;
    if (size < 22) {
        const Scaled s = exp_scaled({2 * size, 0});
        const double two_to_k = power_of_two(s.k);
        const Pair e = add(two_sum(two_to_k, -1), scale(s.p, two_to_k));
        result = divide(e, add(e, {2, 0})).hi;
    }
    return x < 0 ? -result : result;
}

double power(double base, std::uint64_t n) {
    if (n == 0 || base == 1)
        return 1;
    if (n < std::uint64_t{1} << 32) {
        Pair result = {1, 0}, square = {base, 0};
        for (std::uint64_t rest = n;;) {
            if (rest & 1)
                result = multiply(result, square);
            rest >>= 1;
            if (rest == 0)
                break;
            square = multiply(square, square);
        }
        // Outside this range the low halves were lost, or the high ones.
        const double size = absolute(result.hi);
        if (size > 0x1p-900 && size < 0x1p900)
            return result.hi;
    }
    // The error of repeated squaring grows with n; that of the logarithm does not.
    const double size = absolute(base);
    const bool flip = is_negative(base) && (n & 1);
    if (is_nan(base) || size == 0 || size == kInfinity)
        return flip ? base : size;
    const double high = static_cast<double>(n >> 32) * 0x1p32;
    const double low = static_cast<double>(n & 0xffffffff);
    const double result = exp_of_product(log_pair(size), fast_two_sum(high, low));
    return flip ? -result : result;
}

double one_minus_power(double base, std::uint64_t n) {
    PowersOf powers;
    powers.start(base);
    return powers.one_minus(n);
}

} // namespace optcore::math
