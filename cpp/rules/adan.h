/// Adan (Xie et al., 2022, algorithm 1), with β for what the paper calls 1−β.
///   d = g − g' (0 at the first step)                     g' ← g
///   m ← β1·m + (1−β1)·g      v ← β2·v + (1−β2)·d         n ← β3·n + (1−β3)·(g + β2·d)²
///   u = (m̂ + β2·v̂) / (√(n̂ + eps_root) + eps)            all three corrected for their start
///   θ ← (θ − η·u) / (1 + η·λ)
/// `complement_beta2` has 1−β2 in the place of the two β2 that stand beside d and v̂, as optax does.
/// The last line is a step of η/(1 + η·λ) along u + λ·θ. Decoupled decay is the sweep's.
template <class T, unsigned>
struct Adan : DirectionRule {
    static constexpr bool own_decay = true;
    static constexpr bool maskable = true;
    static constexpr Names slots = {"exp_avg", "exp_avg_sq", "exp_avg_diff", "previous_grad"};
    static constexpr unsigned non_negative = 0b10;
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"beta3", Range::below_one, "Invalid beta parameter at index 2: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"eps_root", Range::non_negative, "Invalid eps_root value: "},
        {"complement_beta2", Range::unit, "Invalid complement_beta2 flag: "}};

    T beta1, one_minus_beta1, beta2, one_minus_beta2, beta3, one_minus_beta3, take_diff, look,
        take_m, take_v, correct_n, eps, eps_root, decay;

    explicit Adan(const RuleContext &c)
        : beta1(T(c.h[0])), one_minus_beta1(T(1 - c.h[0])), beta2(T(c.h[1])),
          one_minus_beta2(T(1 - c.h[1])), beta3(T(c.h[2])), one_minus_beta3(T(1 - c.h[2])),
          take_diff(T(c.t == 1 ? 0 : 1)), look(T(weight(c))),
          take_m(T(1 / c.one_minus_power(c.h[0]))),
          take_v(T(weight(c) / c.one_minus_power(c.h[1]))),
          correct_n(T(1 / c.one_minus_power(c.h[2]))), eps(T(c.h[3])), eps_root(T(c.h[4])),
          decay(T(c.weight_decay)) {}

    /// What a difference of gradients counts beside a gradient.
    static double weight(const RuleContext &c) { return c.h[5] != 0 ? 1 - c.h[1] : c.h[1]; }

    static double rate(const RuleContext &c) { return c.lr / (1 + c.lr * c.weight_decay); }

    T direction(T g, T p, T *s) const {
        const T diff = take_diff * (g - s[3]);
        const T ahead = g + look * diff;
        s[0] = beta1 * s[0] + one_minus_beta1 * g;
        s[1] = beta3 * s[1] + one_minus_beta3 * (ahead * ahead);
        s[2] = beta2 * s[2] + one_minus_beta2 * diff;
        s[3] = g;
        return (take_m * s[0] + take_v * s[2]) / (sqrt(s[1] * correct_n + eps_root) + eps) +
               decay * p;
    }
};
