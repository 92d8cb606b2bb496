// Numbers of twice the precision: the unevaluated sum of two doubles (Dekker, 1971; Knuth).
//
// There is deliberately no fused multiply-add here: where it is missing it would have to be
// emulated, and where it is present a compiler may use it in one place and not in another. This
// file and what includes it must be compiled without contraction and without fast-math. It holds
// inline functions, so the per-ISA objects must not include it.
#ifndef OPTCORE_ENGINE_DOUBLE_DOUBLE_H
#define OPTCORE_ENGINE_DOUBLE_DOUBLE_H

#include <cfloat>
#include <cstdint>
#include <cstring>

#if defined(__FAST_MATH__)
#error "optcore's error-free transformations do not survive -ffast-math"
#endif
static_assert(FLT_EVAL_METHOD == 0, "doubles must be evaluated as doubles (on x86: use SSE2)");

namespace optcore::math {

inline std::uint64_t bits_of(double x) {
    std::uint64_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}

inline double from_bits(std::uint64_t bits) {
    double x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

/// 2ᵏ for k from −1022 to 1023.
inline double power_of_two(int k) { return from_bits(static_cast<std::uint64_t>(k + 1023) << 52); }

/// hi + lo, where lo is at most half a unit in the last place of hi.
struct Pair {
    double hi, lo;
};

/// a + b exactly, where |a| ≥ |b| or a is 0.
inline Pair fast_two_sum(double a, double b) {
    const double sum = a + b;
    return {sum, b - (sum - a)};
}

/// a + b exactly.
inline Pair two_sum(double a, double b) {
    const double sum = a + b;
    const double b_part = sum - a;
    return {sum, (a - (sum - b_part)) + (b - b_part)};
}

/// a as the sum of two numbers of at most 26 bits (Veltkamp); |a| at most 2⁹⁹⁵.
inline Pair halves(double a) {
    const double shifted = 134217729.0 * a; // 2²⁷ + 1
    const double high = shifted - (shifted - a);
    return {high, a - high};
}

/// a · b exactly, unless the low half falls below the smallest normal number.
inline Pair two_product(double a, double b) {
    const double product = a * b;
    const Pair x = halves(a), y = halves(b);
    const double error = ((x.hi * y.hi - product) + x.hi * y.lo + x.lo * y.hi) + x.lo * y.lo;
    return {product, error};
}

/// Each of the operations below is good to about 2⁻¹⁰³ of its result.
inline Pair add(Pair a, Pair b) {
    const Pair high = two_sum(a.hi, b.hi), low = two_sum(a.lo, b.lo);
    const Pair sum = fast_two_sum(high.hi, high.lo + low.hi);
    return fast_two_sum(sum.hi, sum.lo + low.lo);
}

inline Pair multiply(Pair a, Pair b) {
    const Pair product = two_product(a.hi, b.hi);
    return fast_two_sum(product.hi, product.lo + (a.hi * b.lo + a.lo * b.hi));
}

inline Pair divide(Pair a, Pair b) {
    const double quotient = a.hi / b.hi;
    const Pair back = two_product(quotient, b.hi);
    const double rest = ((a.hi - back.hi) - back.lo) + (a.lo - quotient * b.lo);
    return fast_two_sum(quotient, rest / b.hi);
}

inline Pair negate(Pair a) { return {-a.hi, -a.lo}; }

/// 1 − (1 − a)(1 − b) = a + b·(1 − a). For a and b in [0, 1] nothing cancels.
inline Pair complement_of_product(Pair a, Pair b) {
    return add(a, multiply(b, add({1, 0}, negate(a))));
}

/// Times a power of two, which is exact.
inline Pair scale(Pair a, double two_to_k) { return {a.hi * two_to_k, a.lo * two_to_k}; }

} // namespace optcore::math

#endif
