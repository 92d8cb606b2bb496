/// RAdam (Liu et al., 2020): Adam, but without its denominator while v is no good estimate yet.
///   m ← β1·m + (1−β1)·g        v ← β2·v + (1−β2)·g²
///   ρ∞ = 2/(1−β2) − 1          ρ = ρ∞ − 2t·β2ᵗ/(1−β2ᵗ)
///   ρ > threshold: u = r·m̂ / (√(v̂ + eps_root) + ε'),   else u = m̂
///   r = √[(ρ−4)(ρ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρ)]
/// ε' is ε/√(1−β2ᵗ) in torch's form r·m̂·√(1−β2ᵗ)/(√v + ε), and ε in optax's. Nesterov, as optax has
/// it: β1·m/(1−β1ᵗ⁺¹) + (1−β1)·g/(1−β1ᵗ) in the place of m̂.
template <class T, unsigned>
struct RAdam : DirectionRule {
    static constexpr bool maskable = true;
    static constexpr Names slots = {"exp_avg", "exp_avg_sq"};
    static constexpr unsigned non_negative = 0b10;
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"eps_root", Range::non_negative, "Invalid eps_root value: "},
        {"threshold", Range::at_least_four, "Invalid threshold value: "},
        {"threshold_inclusive", Range::unit, "Invalid threshold_inclusive flag: "},
        {"eps_hat", Range::unit, "Invalid eps_hat flag: "},
        {"nesterov", Range::unit, "Invalid nesterov flag: "}};

    T beta1, one_minus_beta1, beta2, one_minus_beta2, take_m, take_g, correct_v, eps_root, eps;
    T most; // of the denominator: 1 makes a 1 of it

    explicit RAdam(const RuleContext &c)
        : beta1(T(c.h[0])), one_minus_beta1(T(1 - c.h[0])), beta2(T(c.h[1])),
          one_minus_beta2(T(1 - c.h[1])), eps_root(T(c.h[3])) {
        const double left_m = c.one_minus_power(c.h[0]), left_v = c.one_minus_power(c.h[1]);
        const double rho_inf = 2 / (1 - c.h[1]) - 1;
        const double rho = rho_inf - 2 * double(c.t) * (1 - left_v) / left_v;
        const bool adaptive = c.h[5] != 0 ? rho >= c.h[4] : rho > c.h[4];
        const double r =
            adaptive ? sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
                     : 1;
        const bool nesterov = c.h[7] != 0;
        // 1 − β1ᵗ⁺¹ as a sum, without the cancellation.
        const double left_m_next = (1 - c.h[0]) + c.h[0] * left_m;
        take_m = T(r * (nesterov ? c.h[0] / left_m_next : 1 / left_m));
        take_g = T(nesterov ? r * ((1 - c.h[0]) / left_m) : 0);
        correct_v = T(1 / left_v);
        eps = T(adaptive ? (c.h[6] != 0 ? c.h[2] / sqrt(left_v) : c.h[2]) : 1);
        most = T(adaptive ? HUGE_VAL : 1);
    }

    T direction(T g, T /*p*/, T *s) const {
        s[0] = beta1 * s[0] + one_minus_beta1 * g;
        s[1] = beta2 * s[1] + one_minus_beta2 * (g * g);
        const T root = at_most(sqrt(s[1] * correct_v + eps_root) + eps, most);
        return (take_m * s[0] + take_g * g) / root;
    }
};
