/// Adamax (Kingma & Ba, 2015, algorithm 2).
///   m ← β1·m + (1−β1)·g        n ← max(β2·n, |g| + eps_in)
///   u = m̂ / (n + eps_out)      with m̂ = m/(1−β1ᵗ)
/// One of eps_in and eps_out is zero: torch and optax add ε to |g|, Keras to n.
template <class T, unsigned>
struct Adamax : DirectionRule {
    static constexpr bool maskable = true;
    static constexpr Names slots = {"exp_avg", "exp_inf"};
    static constexpr unsigned non_negative = 0b10;
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"eps_in_max", Range::non_negative, "Invalid epsilon value: "}};

    T beta1, one_minus_beta1, beta2, correct_m, eps_out, eps_in;

    explicit Adamax(const RuleContext &c)
        : beta1(T(c.h[0])), one_minus_beta1(T(1 - c.h[0])), beta2(T(c.h[1])),
          correct_m(T(1 / c.one_minus_power(c.h[0]))), eps_out(T(c.h[2])), eps_in(T(c.h[3])) {}

    T direction(T g, T /*p*/, T *s) const {
        s[0] = beta1 * s[0] + one_minus_beta1 * g;
        s[1] = at_least(abs(g) + eps_in, beta2 * s[1]);
        return (s[0] * correct_m) / (s[1] + eps_out);
    }
};
