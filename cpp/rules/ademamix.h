/// AdEMAMix (Pagliardini et al., 2024, algorithm 1): Adam with a second, slow average of gradients.
///   m ← β1·m + (1−β1)·g      v ← β2·v + (1−β2)·g²      s ← β3ₜ·s + (1−β3ₜ)·g
///   u = (m̂ + αₜ·s) / (√(v̂ + eps_root) + eps)          m̂ = m/(1−β1ᵗ), v̂ = v/(1−β2ᵗ)
/// αₜ rises evenly over the first T steps, and β3ₜ from β1 so that its half-life does; T of 0:
/// none.
template <class T, unsigned>
struct AdEMAMix : DirectionRule {
    static constexpr bool maskable = true;
    static constexpr Names slots = {"exp_avg", "exp_avg_sq", "exp_avg_slow"};
    static constexpr unsigned non_negative = 0b10;
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"beta3", Range::below_one, "Invalid beta parameter at index 2: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"eps_root", Range::non_negative, "Invalid eps_root value: "},
        {"alpha", Range::non_negative, "Invalid alpha value: "},
        {"t_alpha_beta3", Range::non_negative, "Invalid t_alpha_beta3 value: "}};

    T beta1, one_minus_beta1, beta2, one_minus_beta2, beta3, one_minus_beta3, alpha, correct_m,
        correct_v, eps, eps_root;

    explicit AdEMAMix(const RuleContext &c)
        : beta1(T(c.h[0])), one_minus_beta1(T(1 - c.h[0])), beta2(T(c.h[1])),
          one_minus_beta2(T(1 - c.h[1])), alpha(T(c.h[5] * warmed(c))),
          correct_m(T(1 / c.one_minus_power(c.h[0]))), correct_v(T(1 / c.one_minus_power(c.h[1]))),
          eps(T(c.h[3])), eps_root(T(c.h[4])) {
        const double slow = slow_decay(c);
        beta3 = T(slow);
        one_minus_beta3 = T(1 - slow);
    }

    /// How much of the warm-up is over, up to 1.
    static double warmed(const RuleContext &c) {
        return double(c.t) < c.h[6] ? double(c.t) / c.h[6] : 1;
    }

    static double slow_decay(const RuleContext &c) {
        const double part = warmed(c), beta1 = c.h[0], beta3 = c.h[2];
        if (part == 1 || !(beta1 < beta3))
            return beta3;
        const double end = math::log(beta3); // β1 of 0 has a logarithm of −∞, and a ratio of 0
        return math::exp(end / ((1 - part) * (end / math::log(beta1)) + part));
    }

    T direction(T g, T /*p*/, T *s) const {
        s[0] = beta1 * s[0] + one_minus_beta1 * g;
        s[1] = beta2 * s[1] + one_minus_beta2 * (g * g);
        s[2] = beta3 * s[2] + one_minus_beta3 * g;
        return (s[0] * correct_m + alpha * s[2]) / (sqrt(s[1] * correct_v + eps_root) + eps);
    }
};
