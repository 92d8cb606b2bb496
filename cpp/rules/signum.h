/// signSGD and Signum (Bernstein et al., 2018, algorithms 1 and 2).
///   plain      u = sign(g)
///   momentum   m ← μ·m + (1−μ)·g      u = sign(m)
template <class T, unsigned Variant>
struct Signum : DirectionRule {
    static constexpr bool maskable = true;
    static constexpr bool momentum = Variant & 1;
    static constexpr Names options = {"momentum"};
    static constexpr Names slots = momentum ? Names{"momentum_buffer"} : Names{};
    static constexpr Hyper hypers[] = {{"momentum", Range::below_one, "Invalid momentum value: "}};

    T mu, one_minus_mu;

    explicit Signum(const RuleContext &c) : mu(T(c.h[0])), one_minus_mu(T(1 - c.h[0])) {}

    T direction(T g, T /*p*/, T *s) const {
        if constexpr (!momentum)
            return sign(g);
        s[0] = mu * s[0] + one_minus_mu * g;
        return sign(s[0]);
    }
};
