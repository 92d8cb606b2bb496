/// Lion (Chen et al., 2023, program 1).
///   c = β1·m + (1−β1)·g        m ← β2·m + (1−β2)·g        u = sign(c)
/// Where c is 0 nothing moves; with `step_at_zero` it counts as positive, as C's copysign has it.
template <class T, unsigned>
struct Lion : DirectionRule {
    static constexpr bool maskable = true;
    static constexpr Names slots = {"exp_avg"};
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"step_at_zero", Range::unit, "Invalid step_at_zero flag: "}};

    T beta1, one_minus_beta1, beta2, one_minus_beta2, at_zero;

    explicit Lion(const RuleContext &c)
        : beta1(T(c.h[0])), one_minus_beta1(T(1 - c.h[0])), beta2(T(c.h[1])),
          one_minus_beta2(T(1 - c.h[1])), at_zero(T(c.h[2])) {}

    T direction(T g, T /*p*/, T *s) const {
        const T mixed = beta1 * s[0] + one_minus_beta1 * g;
        s[0] = beta2 * s[0] + one_minus_beta2 * g;
        return mixed > T(0) ? T(1) : mixed < T(0) ? T(-1) : mixed + at_zero;
    }
};
