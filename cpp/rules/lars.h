/// LARS (You, Gitman & Ginsburg, 2017, algorithm 1).
///   r = trust·‖θ‖ / (‖g‖ + λ·‖θ‖ + eps), over the whole tensor; 1 where either norm is 0
///   plain      u = r·(g + λ·θ)
///   momentum   b ← μ·b + (1−τ)·r·(g + λ·θ)      u = b      (τ counts from the second step on)
///   nesterov   the same b                       u = r·(g + λ·θ) + μ·b
/// `joint_norm` takes ‖g + λ·θ‖ + eps below the line, `rate_in_buffer` multiplies r by η instead of
/// u, and `trust_clip` limits r to η, so that η·r is never more than a step of SGD with that rate.
template <class T, unsigned Variant>
struct LARS : DirectionRule {
    static constexpr bool momentum = Variant & 1, nesterov = Variant == 3;
    static constexpr bool own_decay = true;
    static constexpr int sums = 2;
    static constexpr Names options = {"momentum", "nesterov"};
    static constexpr Names slots = momentum ? Names{"momentum_buffer"} : Names{};
    static constexpr Hyper hypers[] = {
        {"momentum", Range::below_one, "Invalid momentum value: "},
        {"dampening", Range::unit, "Invalid dampening value: "},
        {"trust_coefficient", Range::non_negative, "Invalid trust_coefficient value: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"joint_norm", Range::unit, "Invalid joint_norm flag: "},
        {"rate_in_buffer", Range::unit, "Invalid rate_in_buffer flag: "},
        {"trust_clip", Range::unit, "Invalid trust_clip flag: "}};

    T mu, keep_old, take_new, ratio, decay, joint_decay;

    explicit LARS(const RuleContext &c)
        : mu(T(c.h[0])), keep_old(c.t == 1 ? T(0) : mu), take_new(c.t == 1 ? T(1) : T(1 - c.h[1])),
          ratio(T(trust_ratio(c) * (c.h[5] != 0 ? c.lr : 1))), decay(T(c.weight_decay)),
          joint_decay(c.h[4] != 0 ? decay : T(0)) {}

    static double trust_ratio(const RuleContext &c) {
        if (!c.sums || !(c.sums[0] > 0 && c.sums[1] > 0))
            return 1;
        const double norm = sqrt(c.sums[0]);
        const double inside = c.h[4] != 0 ? 0 : c.weight_decay * norm;
        const double ratio = c.h[2] * norm / (sqrt(c.sums[1]) + inside + c.h[3]);
        if (c.h[6] == 0)
            return ratio;
        return ratio < c.lr ? ratio / c.lr : 1;
    }

    static double rate(const RuleContext &c) { return c.h[5] != 0 ? 1 : c.lr; }

    T direction(T g, T p, T *s) const {
        const T u = ratio * (g + decay * p);
        if constexpr (!momentum)
            return u;
        s[0] = keep_old * s[0] + take_new * u;
        return nesterov ? u + mu * s[0] : s[0];
    }

    template <int K>
    double term(T g, T p, T * /*s*/) const {
        return squared(K == 0 ? p : g + joint_decay * p);
    }
};
