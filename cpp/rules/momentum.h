/// The two published forms of momentum that torch's SGD does not cover.
///   velocity           v ← μ·v − η·g         θ ← θ + v           the rate is inside the buffer
///   velocity nesterov  the same v            θ ← θ + μ·v − η·g   (Bengio et al., 2013)
///   average            v ← μ·v + (1−μ)·g     θ ← θ − η·v         an average of gradients, from 0
///   average nesterov   the same v            θ ← θ − η·((1−μ)·g + μ·v)
/// Heavy ball with the rate in the buffer (v ← μv + ηg, θ ← θ − v) is `velocity` with −v for v:
/// the same bits.
template <class T, unsigned Variant>
struct Momentum : ApplyRule {
    static constexpr bool average = Variant & 1, nesterov = Variant & 2;
    static constexpr Names options = {"average", "nesterov"};
    static constexpr Names slots = {"velocity"};
    static constexpr Hyper hypers[] = {
        {"momentum", Range::non_negative, "Invalid momentum value: "}};

    T lr, mu, one_minus_mu;

    explicit Momentum(const RuleContext &c)
        : lr(T(c.lr)), mu(T(c.h[0])), one_minus_mu(T(1 - c.h[0])) {}

    T apply(T g, T p, T *s) const {
        if constexpr (average) {
            s[0] = mu * s[0] + one_minus_mu * g;
            return p - lr * (nesterov ? one_minus_mu * g + mu * s[0] : s[0]);
        } else {
            s[0] = mu * s[0] - lr * g;
            return nesterov ? p + (mu * s[0] - lr * g) : p + s[0];
        }
    }
};
