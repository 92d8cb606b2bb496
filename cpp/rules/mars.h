/// MARS with AdamW (Yuan et al., 2024, algorithm 2), in its approximate form, which takes the last
/// step's gradient in the place of the last parameters' gradient on this step's data.
///   c = g + γ·β1/(1−β1)·(g − g'), divided by its norm where that is above 1        g' ← g
///   m ← β1·m + (1−β1)·c        v ← β2·v + (1−β2)·c²
///   u = m̂ / (√(v̂ + eps_root) + eps)         with m̂ = m/(1−β1ᵗ), v̂ = v/(1−β2ᵗ)
/// amsgrad: the largest v so far stands in the place of v in v̂. g' starts at 0.
template <class T, unsigned Variant>
struct MARS : DirectionRule {
    static constexpr bool amsgrad = Variant & 1;
    static constexpr int sums = 1;
    static constexpr Names options = {"amsgrad"};
    static constexpr Names slots =
        amsgrad ? Names{"exp_avg", "exp_avg_sq", "last_grad", "max_exp_avg_sq"}
                : Names{"exp_avg", "exp_avg_sq", "last_grad"};
    static constexpr unsigned non_negative = 0b1010;
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"gamma", Range::non_negative, "Invalid gamma value: "},
        {"eps_root", Range::non_negative, "Invalid eps_root value: "}};

    T beta1, one_minus_beta1, beta2, one_minus_beta2, correct_m, correct_v, eps, eps_root,
        take_change, scale;

    explicit MARS(const RuleContext &c)
        : beta1(T(c.h[0])), one_minus_beta1(T(1 - c.h[0])), beta2(T(c.h[1])),
          one_minus_beta2(T(1 - c.h[1])), correct_m(T(1 / c.one_minus_power(c.h[0]))),
          correct_v(T(1 / c.one_minus_power(c.h[1]))), eps(T(c.h[2])), eps_root(T(c.h[4])),
          take_change(T(c.h[3] * (c.h[0] / (1 - c.h[0])))),
          scale(T(c.sums && c.sums[0] > 1 ? 1 / sqrt(c.sums[0]) : 1)) {}

    T corrected(T g, const T *s) const { return g + take_change * (g - s[2]); }

    T direction(T g, T /*p*/, T *s) const {
        const T change = corrected(g, s) * scale;
        s[0] = beta1 * s[0] + one_minus_beta1 * change;
        s[1] = beta2 * s[1] + one_minus_beta2 * (change * change);
        s[2] = g;
        T v = s[1];
        if constexpr (amsgrad)
            v = s[3] = at_least(v, s[3]);
        return (s[0] * correct_m) / (sqrt(v * correct_v + eps_root) + eps);
    }

    template <int K>
    double term(T g, T /*p*/, T *s) const {
        return squared(corrected(g, s));
    }
};
