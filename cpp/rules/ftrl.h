/// FTRL-Proximal (McMahan et al., 2013, algorithm 1), with per-coordinate rates η/(β + √n).
///   n' = n + g²      σ = (√n' − √n)/η      z ← z + (g + s·θ) − σ·θ      n ← n'
///   θ ← (z limited to ±l1, less z) / ((β + √n)/η + l2)
/// s is `l2_shrinkage`. Where |z| ≤ l1 this is exactly 0, also where the denominator is.
template <class T, unsigned>
struct FTRL : ApplyRule {
    static constexpr Names slots = {"z", "n"};
    static constexpr unsigned non_negative = 0b10;
    static constexpr Hyper hypers[] = {
        {"l1", Range::non_negative, "Invalid l1 value: "},
        {"l2", Range::non_negative, "Invalid l2 value: "},
        {"l2_shrinkage", Range::non_negative, "Invalid l2_shrinkage value: "},
        {"beta", Range::non_negative, "Invalid beta value: "}};
    static constexpr double kLeastRate = 1e-12; // a rate of 0 would divide by 0

    T per_rate, l1, constant, shrinkage, tiny;

    explicit FTRL(const RuleContext &c)
        : per_rate(T(1 / rate_of(c))), l1(T(c.h[0])), constant(T(c.h[3] / rate_of(c) + c.h[1])),
          shrinkage(T(c.h[2])),
          tiny(T(c.dtype == Dtype::f32 ? 1.1754943508222875e-38 : 2.2250738585072014e-308)) {}

    static double rate_of(const RuleContext &c) { return c.lr < kLeastRate ? kLeastRate : c.lr; }

    T apply(T g, T p, T *s) const {
        const T before = sqrt(s[1]);
        s[1] = s[1] + g * g;
        const T root = sqrt(s[1]);
        s[0] = s[0] + ((g + shrinkage * p) - ((root - before) * per_rate) * p);
        const T inside = at_most(at_least(s[0], -l1), l1);
        return (inside - s[0]) / at_least(root * per_rate + constant, tiny);
    }
};
