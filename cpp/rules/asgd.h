/// Averaged SGD (Polyak & Juditsky, 1992), with torch's rate and decay (Bottou's).
///   θ ← (1 − λ'·η)·θ − η·g          a ← a + μ·(θ − a)
///   for the next step               η = lr/(1 + λ'·lr·t)^α,  μ = 1/max(1, t − t0)
/// The first step takes η = lr and μ = 1. λ' is `lambd`.
template <class T, unsigned>
struct ASGD : ApplyRule {
    static constexpr Names slots = {"ax"};
    static constexpr Names scalar_slots = {"eta", "mu"};
    static constexpr Hyper hypers[] = {{"lambd", Range::non_negative, "Invalid lambd value: "},
                                       {"alpha", Range::non_negative, "Invalid alpha value: "},
                                       {"t0", Range::any, "Invalid t0 value: "}};

    T keep, eta, mu, one_minus_mu;

    explicit ASGD(const RuleContext &c) {
        const bool first = c.t == 1;
        const double rate_now = first ? c.lr : c.scalars[0], weight = first ? 1 : c.scalars[1];
        keep = T(1 - c.h[0] * rate_now);
        eta = T(rate_now);
        mu = T(weight);
        one_minus_mu = T(1 - weight);
        const double t = double(c.t), after = t - c.h[2];
        c.scalars[0] = c.lr / math::pow(1 + c.h[0] * c.lr * t, c.h[1]);
        c.scalars[1] = after > 1 ? 1 / after : 1;
    }

    T apply(T g, T p, T *s) const {
        p = p * keep - eta * g;
        s[0] = one_minus_mu * s[0] + mu * p;
        return p;
    }
};
