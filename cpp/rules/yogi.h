/// Yogi (Zaheer et al., 2018): Adam with a v that moves by steps of the size of g² alone.
///   m ← β1·m + (1−β1)·g        v ← v − (1−β2)·sign(v − g²)·g²
///   u = m̂ / (√(v̂ + eps_root) + ε)      with m̂ = m/(1−β1ᵗ), v̂ = v/(1−β2ᵗ)
/// m and v start at `initial_accumulator_value`, which is the caller's to fill in.
template <class T, unsigned>
struct Yogi : DirectionRule {
    static constexpr bool maskable = true;
    static constexpr Names slots = {"exp_avg", "exp_avg_sq"};
    static constexpr unsigned non_negative = 0b10;
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"eps_root", Range::non_negative, "Invalid eps_root value: "}};

    T beta1, one_minus_beta1, one_minus_beta2, correct_m, correct_v, eps, eps_root;

    explicit Yogi(const RuleContext &c)
        : beta1(T(c.h[0])), one_minus_beta1(T(1 - c.h[0])), one_minus_beta2(T(1 - c.h[1])),
          correct_m(T(1 / c.one_minus_power(c.h[0]))), correct_v(T(1 / c.one_minus_power(c.h[1]))),
          eps(T(c.h[2])), eps_root(T(c.h[3])) {}

    T direction(T g, T /*p*/, T *s) const {
        s[0] = beta1 * s[0] + one_minus_beta1 * g;
        const T square = g * g, step = one_minus_beta2 * square, v = s[1];
        s[1] = v > square ? v - step : v < square ? v + step : v;
        return (s[0] * correct_m) / (sqrt(s[1] * correct_v + eps_root) + eps);
    }
};
