/// Adagrad (Duchi, Hazan & Singer, 2011).
///   s ← s + g²        u = g / (√s + ε)        rate = η / (1 + (t−1)·lr_decay)
/// s starts at `initial_accumulator_value`, which is the caller's to fill in.
template <class T, unsigned>
struct Adagrad : DirectionRule {
    static constexpr Names slots = {"sum"};
    static constexpr unsigned non_negative = 0b1;
    static constexpr Hyper hypers[] = {
        {"lr_decay", Range::non_negative, "Invalid lr_decay value: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "}};

    T eps;

    explicit Adagrad(const RuleContext &c) : eps(T(c.h[1])) {}

    static double rate(const RuleContext &c) { return c.lr / (1 + double(c.t - 1) * c.h[0]); }

    T direction(T g, T /*p*/, T *s) const {
        s[0] = s[0] + g * g;
        return g / (sqrt(s[0]) + eps);
    }
};
