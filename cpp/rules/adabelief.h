/// AdaBelief (Zhuang et al., 2020): Adam with the variance of g about m in the place of v.
///   m ← β1·m + (1−β1)·g        v ← β2·v + (1−β2)·(g−m)² + eps_root
///   u = m̂ / (√v̂ + ε)          with m̂ = m/(1−β1ᵗ), v̂ = v/(1−β2ᵗ)
/// amsgrad: the largest v so far stands in the place of v in v̂. Nesterov, as optax has it:
/// β1·m/(1−β1ᵗ⁺¹) + (1−β1)·g/(1−β1ᵗ) in the place of m̂.
template <class T, unsigned Variant>
struct AdaBelief : DirectionRule {
    static constexpr bool maskable = true;
    static constexpr bool amsgrad = Variant & 1;
    static constexpr Names options = {"amsgrad"};
    static constexpr Names slots = amsgrad ? Names{"exp_avg", "exp_avg_var", "max_exp_avg_var"}
                                           : Names{"exp_avg", "exp_avg_var"};
    static constexpr unsigned non_negative = 0b110;
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"eps_root", Range::non_negative, "Invalid eps_root value: "},
        {"nesterov", Range::unit, "Invalid nesterov flag: "}};

    T beta1, one_minus_beta1, beta2, one_minus_beta2, take_m, take_g, correct_v, eps, eps_root;

    explicit AdaBelief(const RuleContext &c)
        : beta1(T(c.h[0])), one_minus_beta1(T(1 - c.h[0])), beta2(T(c.h[1])),
          one_minus_beta2(T(1 - c.h[1])), correct_v(T(1 / c.one_minus_power(c.h[1]))),
          eps(T(c.h[2])), eps_root(T(c.h[3])) {
        const double left = c.one_minus_power(c.h[0]);
        // 1 − β1ᵗ⁺¹ as a sum, without the cancellation.
        const double left_next = (1 - c.h[0]) + c.h[0] * left;
        const bool nesterov = c.h[4] != 0;
        take_m = T(nesterov ? c.h[0] / left_next : 1 / left);
        take_g = T(nesterov ? (1 - c.h[0]) / left : 0);
    }

    T direction(T g, T /*p*/, T *s) const {
        s[0] = beta1 * s[0] + one_minus_beta1 * g;
        const T surprise = g - s[0];
        s[1] = beta2 * s[1] + one_minus_beta2 * (surprise * surprise) + eps_root;
        T v = s[1];
        if constexpr (amsgrad)
            v = s[2] = at_least(v, s[2]);
        return (take_m * s[0] + take_g * g) / (sqrt(v * correct_v) + eps);
    }
};
