/// Stochastic gradient descent with heavy-ball momentum (Polyak, 1964; torch.optim.SGD).
///   plain      u = g
///   momentum   b ← μ·b + (1−τ)·g      u = b          (b ← g at the first step)
///   nesterov   the same b             u = g + μ·b    (Sutskever et al., 2013)
/// `dampen_first` dampens the first step too. `rate_in_buffer` puts the rate into the buffer:
///   b ← μ·b + (1−τ)·η·g               θ ← θ − b, or θ − (η·g + μ·b)
/// which is another rule as soon as the rate changes.
template <class T, unsigned Variant>
struct SGD : DirectionRule {
    static constexpr bool momentum = Variant & 1, nesterov = Variant == 3;
    static constexpr Names options = {"momentum", "nesterov"};
    static constexpr bool maskable = true;
    static constexpr Names slots = momentum ? Names{"momentum_buffer"} : Names{};
    static constexpr Hyper hypers[] = {
        {"momentum", Range::non_negative, "Invalid momentum value: "},
        {"dampening", Range::any, "Invalid dampening value: "},
        {"dampen_first", Range::unit, "Invalid dampen_first flag: "},
        {"rate_in_buffer", Range::unit, "Invalid rate_in_buffer flag: "}};

    T mu, keep_old, take_new, take_ahead;

    explicit SGD(const RuleContext &c) : mu(T(c.h[0])) {
        const double scale = c.h[3] != 0 ? c.lr : 1;
        const bool whole = c.t == 1 && c.h[2] == 0;
        keep_old = c.t == 1 ? T(0) : mu;
        take_new = T((whole ? 1 : 1 - c.h[1]) * scale);
        take_ahead = T(scale);
    }

    static double rate(const RuleContext &c) { return momentum && c.h[3] != 0 ? 1 : c.lr; }

    T direction(T g, T /*p*/, T *s) const {
        if constexpr (!momentum)
            return g;
        s[0] = keep_old * s[0] + take_new * g;
        return nesterov ? take_ahead * g + mu * s[0] : s[0];
    }
};
