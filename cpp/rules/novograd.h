/// NovoGrad (Ginsburg et al., 2019, algorithm 1): one second moment for a whole tensor.
///   v ← β2·v + (1−β2)·‖g‖²                                   at the first step v ← ‖g‖²
///   m ← β1·m + a·(g/(√(v + eps_root) + eps) + λ·θ)           u = m
/// a is 1; with `grad_averaging` it is 1−β1 from the second step on. A v of 0 leaves m as it is.
template <class T, unsigned>
struct NovoGrad : DirectionRule {
    static constexpr bool own_decay = true;
    static constexpr int sums = 1;
    static constexpr Names slots = {"exp_avg"};
    static constexpr Names scalar_slots = {"exp_norm_sq"};
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"eps_root", Range::non_negative, "Invalid eps_root value: "},
        {"grad_averaging", Range::unit, "Invalid grad_averaging flag: "}};

    T beta1, take, inverse, decay;

    explicit NovoGrad(const RuleContext &c)
        : beta1(T(c.h[0])), take(T(c.h[4] != 0 && c.t != 1 ? 1 - c.h[0] : 1)), inverse(T(0)),
          decay(T(c.weight_decay)) {
        if (!c.sums)
            return;
        double &v = c.scalars[0];
        v = c.t == 1 ? c.sums[0] : c.h[1] * v + (1 - c.h[1]) * c.sums[0];
        const double root = sqrt(v + c.h[3]) + c.h[2];
        inverse = T(root == 0 ? 0 : 1 / root);
    }

    T direction(T g, T p, T *s) const {
        s[0] = beta1 * s[0] + take * (g * inverse + decay * p);
        return s[0];
    }

    template <int K>
    double term(T g, T /*p*/, T * /*s*/) const {
        return squared(g);
    }
};
