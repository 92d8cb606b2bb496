/// Sophia (Liu et al., 2023, algorithm 3).
///   m ← β1·m + (1−β1)·g        u = m / max(ρ·h, eps), limited to ±1        θ ← θ − η·u
/// `bias_correction` divides m by 1−β1ᵗ in u. With the option `update_hessian` nothing moves, and
/// what comes as the gradient is an estimate of the Hessian's diagonal:
///   h ← β2·h + (1−β2)·g
template <class T, unsigned Variant>
struct Sophia : DirectionRule {
    static constexpr bool maskable = true;
    static constexpr bool update_hessian = Variant & 1;
    static constexpr Names options = {"update_hessian"};
    static constexpr Names slots = {"exp_avg", "hessian"};
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"rho", Range::non_negative, "Invalid rho value: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"bias_correction", Range::unit, "Invalid bias_correction flag: "}};

    T beta1, one_minus_beta1, beta2, one_minus_beta2, rho, eps, correct_m;

    explicit Sophia(const RuleContext &c)
        : beta1(T(c.h[0])), one_minus_beta1(T(1 - c.h[0])), beta2(T(c.h[1])),
          one_minus_beta2(T(1 - c.h[1])), rho(T(c.h[2])), eps(T(c.h[3])),
          correct_m(T(c.h[4] != 0 ? 1 / c.one_minus_power(c.h[0]) : 1)) {}

    T direction(T g, T /*p*/, T *s) const {
        if constexpr (update_hessian) {
            s[1] = beta2 * s[1] + one_minus_beta2 * g;
            return T(0);
        }
        s[0] = beta1 * s[0] + one_minus_beta1 * g;
        const T u = (s[0] * correct_m) / at_least(rho * s[1], eps);
        return at_most(at_least(u, T(-1)), T(1));
    }
};
