/// NAdam (Dozat, 2016), with torch's variations as options.
///   m ← β1·m + (1−β1)·g        v ← β2·v + (1−β2)·g²
///   μ = β1·(1 − ½·0.96^(t·ψ)),  μ' the same at t+1,  P = the product of all μ so far
///   u = [ μ'·m/(1−P·μ') + (1−μ)·g/(1−P) ] / (√(v̂ + eps_root) + ε)   with v̂ = v/(1−β2ᵗ)
/// Without the schedule μ = μ' = β1. `lookahead` off corrects m with 1−P instead of 1−P·μ';
/// `double_correction` divides m by 1−β1ᵗ once more, as some texts print it. As published, m is
/// averaged with μ in the place of β1 (`scheduled_average`) and v̂ = β2·v/(1−β2ᵗ)
/// (`beta2_in_v_hat`).
template <class T, unsigned>
struct NAdam : DirectionRule {
    static constexpr bool maskable = true;
    static constexpr Names slots = {"exp_avg", "exp_avg_sq"};
    static constexpr unsigned non_negative = 0b10;
    static constexpr Names scalar_slots = {"mu_product"}; // starts at 1
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"momentum_decay", Range::non_negative, "Invalid momentum_decay value: "},
        {"momentum_schedule", Range::unit, "Invalid momentum_schedule flag: "},
        {"lookahead", Range::unit, "Invalid lookahead flag: "},
        {"double_correction", Range::unit, "Invalid double_correction flag: "},
        {"eps_root", Range::non_negative, "Invalid eps_root value: "},
        {"scheduled_average", Range::unit, "Invalid scheduled_average flag: "},
        {"beta2_in_v_hat", Range::unit, "Invalid beta2_in_v_hat flag: "}};

    T beta1, one_minus_beta1, beta2, one_minus_beta2, take_m, take_g, correct_v, eps, eps_root;

    explicit NAdam(const RuleContext &c)
        : beta2(T(c.h[1])), one_minus_beta2(T(1 - c.h[1])),
          correct_v(T((c.h[9] != 0 ? c.h[1] : 1) / c.one_minus_power(c.h[1]))), eps(T(c.h[2])),
          eps_root(T(c.h[7])) {
        const double mu = momentum(c, double(c.t)), mu_next = momentum(c, double(c.t) + 1);
        const double average = c.h[8] != 0 ? mu : c.h[0];
        beta1 = T(average);
        one_minus_beta1 = T(1 - average);
        const double product = c.scalars[0] *= mu;
        const double again = c.h[6] != 0 ? c.one_minus_power(c.h[0]) : 1;
        take_m = T(mu_next / (1 - (c.h[5] != 0 ? product * mu_next : product)) / again);
        take_g = T((1 - mu) / (1 - product));
    }

    static double momentum(const RuleContext &c, double t) {
        return c.h[4] != 0 ? c.h[0] * (1 - 0.5 * math::pow(0.96, t * c.h[3])) : c.h[0];
    }

    T direction(T g, T /*p*/, T *s) const {
        s[0] = beta1 * s[0] + one_minus_beta1 * g;
        s[1] = beta2 * s[1] + one_minus_beta2 * (g * g);
        return (take_m * s[0] + take_g * g) / (sqrt(s[1] * correct_v + eps_root) + eps);
    }
};
