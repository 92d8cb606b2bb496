/// Stochastic gradient descent with heavy-ball momentum (Polyak, 1964; torch.optim.SGD).
///   plain      u = g
///   momentum   b ← μ·b + (1−τ)·g      u = b          (b ← g at the first step)
///   nesterov   the same b             u = g + μ·b    (Sutskever et al., 2013)
template <class T, unsigned Variant>
struct SGD : DirectionRule {
    static constexpr bool momentum = Variant & 1, nesterov = Variant == 3;
    static constexpr Names options = {"momentum", "nesterov"};
    static constexpr bool maskable = true;
    static constexpr Names slots = momentum ? Names{"momentum_buffer"} : Names{};
    static constexpr Hyper hypers[] = {
        {"momentum", Range::non_negative, "Invalid momentum value: "},
        {"dampening", Range::any, "Invalid dampening value: "}};

    T mu, keep_old, take_new;

    explicit SGD(const RuleContext &c)
        : mu(T(c.h[0])), keep_old(c.t == 1 ? T(0) : mu), take_new(c.t == 1 ? T(1) : T(1 - c.h[1])) {
    }

    T direction(T g, T /*p*/, T *s) const {
        if constexpr (!momentum)
            return g;
        s[0] = keep_old * s[0] + take_new * g;
        return nesterov ? g + mu * s[0] : s[0];
    }
};
