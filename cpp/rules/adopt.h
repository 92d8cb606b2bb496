/// ADOPT (Taniguchi et al., 2024, algorithm 2): Adam's v of the step before, applied to g itself.
///   first step   v ← g²
///   later        x = g / max(√v, eps), limited to ±(t−1)^clip_exponent
///                m ← β1·m + (1−β1)·x       u = m       v ← β2·v + (1−β2)·g²
///   nesterov     u = β1·m + (1−β1)·x, of the new m
/// Without `clipped` there is no limit. At the first step the limit is 0 and nothing moves.
template <class T, unsigned>
struct Adopt : DirectionRule {
    static constexpr bool maskable = true;
    static constexpr Names slots = {"exp_avg", "exp_avg_sq"};
    static constexpr unsigned non_negative = 0b10;
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"clip_exponent", Range::non_negative, "Invalid clip_exponent value: "},
        {"clipped", Range::unit, "Invalid clipped flag: "},
        {"nesterov", Range::unit, "Invalid nesterov flag: "}};

    T beta1, one_minus_beta1, keep_v, take_square, floor, limit, take_m, take_x;

    explicit Adopt(const RuleContext &c)
        : beta1(T(c.h[0])), one_minus_beta1(T(1 - c.h[0])), keep_v(T(c.t == 1 ? 0 : c.h[1])),
          take_square(T(c.t == 1 ? 1 : 1 - c.h[1])),
          floor(T(c.t == 1 ? 1 : c.h[2])), // v is 0 at the first step, and eps may be
          limit(T(limit_at(c))), take_m(T(c.h[5] != 0 ? c.h[0] : 1)),
          take_x(T(c.h[5] != 0 ? 1 - c.h[0] : 0)) {}

    static double limit_at(const RuleContext &c) {
        if (c.t == 1)
            return 0;
        return c.h[4] != 0 ? math::pow(double(c.t - 1), c.h[3]) : HUGE_VAL;
    }

    T direction(T g, T /*p*/, T *s) const {
        T x = g / at_least(sqrt(s[1]), floor);
        x = at_most(at_least(x, -limit), limit);
        s[0] = beta1 * s[0] + one_minus_beta1 * x;
        s[1] = keep_v * s[1] + take_square * (g * g);
        return take_m * s[0] + take_x * x;
    }
};
