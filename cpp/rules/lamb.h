/// LAMB (You et al., 2020, algorithm 2).
///   m ← β1·m + (1−β1)·g        v ← β2·v + (1−β2)·g²
///   u = m̂/(√(v̂ + eps_root) + ε) + λ·θ      with m̂ = m/(1−β1ᵗ), v̂ = v/(1−β2ᵗ)
///   rate = η·‖θ‖/‖u‖, over the whole tensor; η where either norm is 0
/// Decoupled decay leaves λ·θ out of u, and ‖θ‖ is that after it. `clamp` limits ‖θ‖; 0: no limit.
template <class T, unsigned>
struct LAMB : DirectionRule {
    static constexpr bool own_decay = true;
    static constexpr int sums = 2;
    static constexpr Names slots = {"exp_avg", "exp_avg_sq"};
    static constexpr unsigned non_negative = 0b10;
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"eps_root", Range::non_negative, "Invalid eps_root value: "},
        {"bias_correction", Range::unit, "Invalid bias_correction flag: "},
        {"clamp", Range::non_negative, "Invalid clamp value: "}};

    T beta1, one_minus_beta1, beta2, one_minus_beta2, correct_m, correct_v, eps, eps_root, decay;

    explicit LAMB(const RuleContext &c)
        : beta1(T(c.h[0])), one_minus_beta1(T(1 - c.h[0])), beta2(T(c.h[1])),
          one_minus_beta2(T(1 - c.h[1])), correct_m(T(correction(c, c.h[0]))),
          correct_v(T(correction(c, c.h[1]))), eps(T(c.h[2])), eps_root(T(c.h[3])),
          decay(T(c.weight_decay)) {}

    static double correction(const RuleContext &c, double beta) {
        return c.h[4] != 0 ? 1 / c.one_minus_power(beta) : 1;
    }

    static double rate(const RuleContext &c) {
        if (!c.sums || !(c.sums[0] > 0 && c.sums[1] > 0))
            return c.lr;
        const double norm = sqrt(c.sums[0]) * abs(c.keep);
        return c.lr * ((c.h[5] > 0 && norm > c.h[5] ? c.h[5] : norm) / sqrt(c.sums[1]));
    }

    T direction(T g, T p, T *s) const {
        s[0] = beta1 * s[0] + one_minus_beta1 * g;
        s[1] = beta2 * s[1] + one_minus_beta2 * (g * g);
        return (s[0] * correct_m) / (sqrt(s[1] * correct_v + eps_root) + eps) + decay * p;
    }

    template <int K>
    double term(T g, T p, T *s) const {
        if constexpr (K == 0)
            return squared(p);
        else
            return squared(direction(g, p, s));
    }
};
