// Elementary functions with the same bits on every machine.
//
// libm picks its variants by CPU and differs in the last bit, so no result of ours comes from it.
// These use + − × ÷ on doubles and integer operations only, and stay within 1 ulp of the exact
// value over their whole range, subnormal results included. Special cases are those of C99, annex
// F, except that no floating-point flag is promised. They hold in the default floating-point mode.
//
// Declarations only: the per-ISA objects include this file and must not bring a copy of their own.
#ifndef OPTCORE_ENGINE_ELEMENTARY_H
#define OPTCORE_ENGINE_ELEMENTARY_H

#include <cstddef>
#include <cstdint>

namespace optcore::math {

double exp(double x);
double log(double x);
double pow(double x, double y);
double tanh(double x);

/// Radians, for every finite x however large.
double cos(double x);

/// cos(π·x); the reduction of x is exact, so half-integers give 0 and integers give ±1.
double cos_pi(double x);

/// results[i] = cos_pi(x[i]) for i in [0, n) and x from 0 to 1, quicker where they lie close
/// together. The two arrays must not overlap.
void cosines_pi(const double *x, double *results, std::size_t n);

/// baseⁿ, carried in twice the precision and rounded once.
double power(double base, std::uint64_t n);

/// 1 − baseⁿ for base in [0, 1], without the cancellation: the bias corrections of Adam and its
/// relatives. Carried in twice the precision and rounded once.
double one_minus_power(double base, std::uint64_t n);

} // namespace optcore::math

#endif
