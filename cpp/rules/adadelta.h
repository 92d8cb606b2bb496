/// Adadelta (Zeiler, 2012, algorithm 1), with torch's rate.
///   s ← ρ·s + (1−ρ)·g²        u = g·√(d + ε) / √(s + ε)        d ← ρ·d + (1−ρ)·u²
template <class T, unsigned>
struct Adadelta : DirectionRule {
    static constexpr Names slots = {"square_avg", "acc_delta"};
    static constexpr unsigned non_negative = 0b11;
    static constexpr Hyper hypers[] = {{"rho", Range::unit, "Invalid rho value: "},
                                       {"eps", Range::non_negative, "Invalid epsilon value: "}};

    T rho, one_minus_rho, eps;

    explicit Adadelta(const RuleContext &c)
        : rho(T(c.h[0])), one_minus_rho(T(1 - c.h[0])), eps(T(c.h[1])) {}

    T direction(T g, T /*p*/, T *s) const {
        s[0] = rho * s[0] + one_minus_rho * (g * g);
        const T u = sqrt(s[1] + eps) / sqrt(s[0] + eps) * g;
        s[1] = rho * s[1] + one_minus_rho * (u * u);
        return u;
    }
};
