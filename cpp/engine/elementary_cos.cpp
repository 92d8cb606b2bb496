// The cosine, of radians and of half-turns. Both reduce their argument exactly to
//   x = (n + f)·π/2,   |f| ≤ ½,
// and end in the same two series on [−π/4, π/4].
#include "double_double.h"
#include "elementary.h"

#include <cstddef>
#include <limits>

namespace optcore::math {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// π/2; the first part has 26 bits, so that its product with another such number is exact.
constexpr Pair kHalfPi = {0x1.921fb50000000p+0, 0x1.110b4611a6263p-26};

/// x without its lower half: 26 bits are left. Cheaper than a product of pairs.
double upper_half(double x) { return from_bits(bits_of(x) & 0xfffffffff8000000); }

/// c[0] + c[1]·z + c[2]·z² + …, in two chains that a processor works on at once.
template <std::size_t N>
double polynomial(const double (&c)[N], double z) {
    const double square = z * z;
    double odd = c[N - 1], even = c[N - 2];
    std::size_t i = N - 2;
    for (; i >= 2; i -= 2) {
        odd = odd * square + c[i - 1];
        even = even * square + c[i - 2];
    }
    const double rest = even + odd * z;
    return i == 1 ? c[0] + rest * z : rest;
}

/// 1 − r²/2 + r⁴·(1/4! − r²/6! + …), with r²/2 to twice the precision.
double cos_series(Pair r) {
    static constexpr double coefficients[] = {
        1 / 24.0,        -1 / 720.0,         1 / 40320.0,         -1 / 3628800.0,
        1 / 479001600.0, -1 / 87178291200.0, 1 / 20922789888000.0};
    const double high = upper_half(r.hi), low = (r.hi - high) + r.lo;
    const double square = r.hi * r.hi;
    const double series = polynomial(coefficients, square);
    const Pair leading = fast_two_sum(1, -0.5 * (high * high));
    return leading.hi + (leading.lo + (square * square * series - low * (high + 0.5 * low)));
}

/// r − r³·(1/3! − r²/5! + …).
double sin_series(Pair r) {
    static constexpr double coefficients[] = {
        -1 / 6.0,        1 / 120.0,        -1 / 5040.0,          1 / 362880.0,
        -1 / 39916800.0, 1 / 6227020800.0, -1 / 1307674368000.0, 1 / 355687428096000.0};
    const double square = r.hi * r.hi;
    const double series = polynomial(coefficients, square);
    return r.hi + (r.lo * (1 - 0.5 * square) + r.hi * square * series);
}

/// f·π/2
Pair radians(Pair f) {
    const double high = upper_half(f.hi), low = (f.hi - high) + f.lo;
    return fast_two_sum(high * kHalfPi.hi, low * kHalfPi.hi + f.hi * kHalfPi.lo);
}

/// cos((n + f)·π/2)
double cos_quarter_turns(unsigned n, Pair f) {
    const Pair r = radians(f);
    const double result = n & 1 ? sin_series(r) : cos_series(r);
    // cos, −sin, −cos, sin; adding 0 makes a −0 positive.
    return ((n + 1) & 2 ? -result : result) + 0.0;
}

/// Added to this number, anything below 2⁵¹ is rounded to an integer, which is then to be read off
/// the last bits.
constexpr double kRounder = 0x1.8p52;

/// cos(π·x) for x around N/2: no branches, so that the compiler works on several at once.
template <unsigned N>
void cos_around(const double *x, double *results, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i)
        results[i] = cos_quarter_turns(N, {2 * x[i] - N, 0});
}

struct Reduced {
    unsigned n; // modulo 4
    Pair f;
};

/// The bits of 2/π after the binary point, behind 64 zeros that stand before it.
constexpr std::uint64_t kTwoOverPi[] = {
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
    0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
    0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
    0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab};

/// 32 bits of that table from bit `at` on.
std::uint32_t two_over_pi(unsigned at) {
    const unsigned word = at / 64, shift = at % 64;
    std::uint64_t bits = kTwoOverPi[word] << shift;
    if (shift > 32)
        bits |= kTwoOverPi[word + 1] >> (64 - shift);
    return static_cast<std::uint32_t>(bits >> 32);
}

/// Payne & Hanek, 1983: x = m·2ᵉ with an integer m, so of 2/π only the bits matter whose product
/// with m·2ᵉ is neither a multiple of 4 nor below the last bit wanted. For finite x > π/4.
Reduced reduce(double x) {
    const std::uint64_t bits = bits_of(x);
    const int e = static_cast<int>(bits >> 52) - 1075;
    const std::uint64_t m = (bits & 0x000fffffffffffff) | 0x0010000000000000;

    // product = m · (192 bits of 2/π) modulo 2¹⁹², as limbs of 32 bits, the lowest first. It is
    // x·2/π modulo 4 with 190 bits after the point; a double never comes so close to a multiple
    // of π/2 that more than 62 of them are zero.
    constexpr unsigned limbs = 6;
    const unsigned start = static_cast<unsigned>(e + 62);
    const std::uint64_t factors[2] = {m & 0xffffffff, m >> 32};
    std::uint32_t product[limbs] = {};
    for (unsigned i = 0; i < limbs; ++i) {
        const std::uint64_t window = two_over_pi(start + 32 * (limbs - 1 - i));
        std::uint64_t carry = 0;
        for (unsigned j = 0; i + j < limbs; ++j) {
            carry += product[i + j] + (j < 2 ? window * factors[j] : 0);
            product[i + j] = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
    }

    // Two bits are n, the next says whether to round up and count f from above.
    unsigned n = product[limbs - 1] >> 30;
    const bool up = product[limbs - 1] >> 29 & 1;
    n += up;
    product[limbs - 1] &= 0x3fffffff;
    if (up) { // f − 1 = −(not f), to the last of 190 bits
        for (std::uint32_t &limb : product)
            limb = ~limb;
        product[limbs - 1] &= 0x3fffffff;
    }
    Pair f = {0, 0};
    double unit = 0x1p-30;
    for (unsigned i = limbs; i-- > 0; unit *= 0x1p-32)
        f = add(f, {product[i] * unit, 0});
    return {n, up ? negate(f) : f};
}

} // namespace

double cos(double x) {
    const double size = x < 0 ? -x : x;
    if (!(size < kInfinity))
        return kNaN;
    if (size <= 0x1.921fb54442d18p-1) // π/4
        return cos_series({size, 0});
    const Reduced reduced = reduce(size);
    return cos_quarter_turns(reduced.n, reduced.f);
}

double cos_pi(double x) {
    double size = x < 0 ? -x : x;
    if (!(size < kInfinity))
        return kNaN;
    if (size >= 0x1p53)
        return 1; // an even integer
    if (size >= 0x1p50)
        size -= 2.0 * static_cast<double>(static_cast<std::int64_t>(0.5 * size));
    const double rounded = 2 * size + kRounder;
    const unsigned n = static_cast<unsigned>(bits_of(rounded) & 3);
    return cos_quarter_turns(n, {2 * size - (rounded - kRounder), 0});
}

void cosines_pi(const double *x, double *results, std::size_t n) {
    if (n == 0)
        return;
    const std::uint64_t first = bits_of(2 * x[0] + kRounder);
    std::uint64_t different = 0;
    for (std::size_t i = 1; i < n; ++i)
        different |= bits_of(2 * x[i] + kRounder) ^ first;
    if (different != 0) {
        for (std::size_t i = 0; i < n; ++i)
            results[i] = cos_pi(x[i]);
    } else if ((first & 3) == 0) {
        cos_around<0>(x, results, n);
    } else if ((first & 3) == 1) {
        cos_around<1>(x, results, n);
    } else {
        cos_around<2>(x, results, n);
    }
}

} // namespace optcore::math
