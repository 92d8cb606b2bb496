/// Rprop (Riedmiller & Braun, 1993), in torch's form (iRprop−: Igel & Hüsken, 2000).
///   g·g' > 0: step ← η⁺·step;  g·g' < 0: step ← η⁻·step, and g ← 0;  both within the limits
///   θ ← θ − sign(g)·step            g' ← g
/// g' is the gradient of the step before. The rate is no more than what `step` starts at.
template <class T, unsigned>
struct Rprop : DirectionRule {
    static constexpr Names slots = {"prev", "step_size"};
    static constexpr unsigned non_negative = 0b10;
    static constexpr Hyper hypers[] = {
        {"eta_minus", Range::inside_unit, "Invalid eta values: "},
        {"eta_plus", Range::above_one, "Invalid eta values: "},
        {"step_size_min", Range::non_negative, "Invalid step_sizes values: "},
        {"step_size_max", Range::non_negative, "Invalid step_sizes values: "}};

    T eta_minus, eta_plus, least, most;

    explicit Rprop(const RuleContext &c)
        : eta_minus(T(c.h[0])), eta_plus(T(c.h[1])), least(T(c.h[2])), most(T(c.h[3])) {}

    static double rate(const RuleContext & /*c*/) { return 1; }

    T direction(T g, T /*p*/, T *s) const {
        const T agree = g * s[0];
        const T factor = agree > 0 ? eta_plus : agree < 0 ? eta_minus : T(1);
        const T step = at_most(at_least(s[1] * factor, least), most);
        g = agree < 0 ? T(0) : g;
        s[0] = g;
        s[1] = step;
        return sign(g) * step;
    }
};
