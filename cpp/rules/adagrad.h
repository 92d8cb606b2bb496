/// Adagrad (Duchi, Hazan & Singer, 2011).
///   s ← s + g²        u = g / (√(s + eps_in) + eps_out)        rate = η / (1 + (t−1)·lr_decay)
/// One of eps_in and eps_out is zero: torch adds ε to the root, Keras and optax inside it. With
/// `zero_at_zero` u is 0 where s is, as optax has it; else 0/0 there, if ε is 0.
/// s starts at `initial_accumulator_value`, which is the caller's to fill in.
template <class T, unsigned>
struct Adagrad : DirectionRule {
    static constexpr Names slots = {"sum"};
    static constexpr unsigned non_negative = 0b1;
    static constexpr Hyper hypers[] = {
        {"lr_decay", Range::non_negative, "Invalid lr_decay value: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"eps_in_sqrt", Range::non_negative, "Invalid epsilon value: "},
        {"zero_at_zero", Range::unit, "Invalid zero_at_zero flag: "}};

    T eps_out, eps_in, nothing; // sums up to `nothing` give no step: 0, or −1 for never

    explicit Adagrad(const RuleContext &c)
        : eps_out(T(c.h[1])), eps_in(T(c.h[2])), nothing(T(c.h[3] != 0 ? 0 : -1)) {}

    static double rate(const RuleContext &c) { return c.lr / (1 + double(c.t - 1) * c.h[0]); }

    T direction(T g, T /*p*/, T *s) const {
        s[0] = s[0] + g * g;
        const T u = g / (sqrt(s[0] + eps_in) + eps_out);
        return s[0] <= nothing ? T(0) : u;
    }
};
