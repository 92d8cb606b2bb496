/// Adam (Kingma & Ba, 2015, algorithm 1); AdamW is Adam with decoupled decay (Loshchilov & Hutter).
///   m ← β1·m + (1−β1)·g        v ← β2·v + (1−β2)·g²
///   u = m̂ / (√(v̂ + eps_root) + eps)      with m̂ = m/(1−β1ᵗ), v̂ = v/(1−β2ᵗ)
/// amsgrad (Reddi et al., 2018): the largest v so far stands in the place of v in v̂; with
/// `correct_before_max` it is the largest v̂. `eps_hat`: eps/√(1−β2ᵗ) for eps, which is the paper's
/// faster order of operations, η·√(1−β2ᵗ)/(1−β1ᵗ)·m / (√v + eps). `correct_m` and `correct_v` off:
/// m or v in the place of m̂ or v̂.
template <class T, unsigned Variant>
struct Adam : DirectionRule {
    static constexpr bool amsgrad = Variant & 1;
    static constexpr Names options = {"amsgrad"};
    static constexpr bool maskable = true;
    static constexpr Names slots =
        amsgrad ? Names{"exp_avg", "exp_avg_sq", "max_exp_avg_sq"} : Names{"exp_avg", "exp_avg_sq"};
    static constexpr unsigned non_negative = 0b110;
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"eps_root", Range::non_negative, "Invalid eps_root value: "},
        {"eps_hat", Range::unit, "Invalid eps_hat flag: "},
        {"correct_m", Range::unit, "Invalid bias_correction flag: "},
        {"correct_v", Range::unit, "Invalid bias_correction flag: "},
        {"correct_before_max", Range::unit, "Invalid correct_before_max flag: "}};

    T beta1, one_minus_beta1, beta2, one_minus_beta2, correct_m, before_max, correct_v, eps,
        eps_root;

    explicit Adam(const RuleContext &c)
        : beta1(T(c.h[0])), one_minus_beta1(T(1 - c.h[0])), beta2(T(c.h[1])),
          one_minus_beta2(T(1 - c.h[1])), eps_root(T(c.h[3])) {
        const double of_m = c.h[5] != 0 ? 1 / c.one_minus_power(c.h[0]) : 1;
        const double of_v = c.h[6] != 0 ? 1 / c.one_minus_power(c.h[1]) : 1;
        const bool before = amsgrad && c.h[7] != 0;
        correct_m = T(of_m);
        before_max = T(before ? of_v : 1);
        correct_v = T(before ? 1 : of_v);
        eps = T(c.h[4] != 0 ? c.h[2] * sqrt(of_v) : c.h[2]);
    }

    T direction(T g, T /*p*/, T *s) const {
        s[0] = beta1 * s[0] + one_minus_beta1 * g;
        s[1] = beta2 * s[1] + one_minus_beta2 * (g * g);
        T v = s[1];
        if constexpr (amsgrad)
            v = s[2] = at_least(v * before_max, s[2]);
        return (s[0] * correct_m) / (sqrt(v * correct_v + eps_root) + eps);
    }
};
