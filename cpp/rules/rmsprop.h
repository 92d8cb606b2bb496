/// RMSprop (Tieleman & Hinton, 2012; centered: Graves, 2013).
///   s ← α·s + (1−α)·g²        r = √(s + eps_in) + eps_out
///   centered                  a ← α·a + (1−α)·g, and max(s − a², 0) in the place of s in r
///   momentum                  b ← μ·b + g/r, u = b;  without: u = g/r
/// One of eps_in and eps_out is zero: torch adds ε to the root, TensorFlow inside it. s − a² is
/// never negative but for rounding; there a root of it would be NaN, and is taken of 0 instead.
template <class T, unsigned Variant>
struct RMSprop : DirectionRule {
    static constexpr bool centered = Variant & 1, momentum = Variant & 2;
    static constexpr Names options = {"centered", "momentum"};
    static constexpr Names slots = centered && momentum
                                       ? Names{"square_avg", "grad_avg", "momentum_buffer"}
                                   : centered ? Names{"square_avg", "grad_avg"}
                                   : momentum ? Names{"square_avg", "momentum_buffer"}
                                              : Names{"square_avg"};
    static constexpr unsigned non_negative = 0b1;
    static constexpr Hyper hypers[] = {
        {"alpha", Range::unit, "Invalid alpha value: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"eps_in_sqrt", Range::non_negative, "Invalid epsilon value: "},
        {"momentum", Range::non_negative, "Invalid momentum value: "}};

    T alpha, one_minus_alpha, eps_out, eps_in, mu;

    explicit RMSprop(const RuleContext &c)
        : alpha(T(c.h[0])), one_minus_alpha(T(1 - c.h[0])), eps_out(T(c.h[1])), eps_in(T(c.h[2])),
          mu(T(c.h[3])) {}

    T direction(T g, T /*p*/, T *s) const {
        s[0] = alpha * s[0] + one_minus_alpha * (g * g);
        T square = s[0];
        if constexpr (centered) {
            s[1] = alpha * s[1] + one_minus_alpha * g;
            square = at_least(square - s[1] * s[1], T(0));
        }
        const T u = g / (sqrt(square + eps_in) + eps_out);
        if constexpr (!momentum)
            return u;
        T &b = s[centered ? 2 : 1];
        b = mu * b + u;
        return b;
    }
};
