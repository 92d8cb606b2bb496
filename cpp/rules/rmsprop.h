/// RMSprop (Tieleman & Hinton, 2012; centered: Graves, 2013).
///   s ← α·s + (1−α)·g²        r = √(s + eps_in) + eps_out
///   centered                  a ← α·a + (1−α)·g, and max(s − a², 0) in the place of s in r
///   momentum                  b ← μ·b + g/r, u = b;  without: u = g/r
///   nesterov                  u = g/r + μ·b, of the new b
/// `rate_in_buffer`: b takes η·g/r, and θ ← θ − b. `bias_correction`: s/(1−αᵗ) and a/(1−αᵗ) in r.
///
/// One of eps_in and eps_out is zero: torch adds ε to the root, TensorFlow inside it. s − a² is
/// never negative but for rounding; there a root of it would be NaN, and is taken of 0 instead.
/// Momentum that is not Nesterov's is u = 0·g/r + 1·b: half the variants, for two operations that
/// cost nothing beside a division and a root.
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
        {"momentum", Range::non_negative, "Invalid momentum value: "},
        {"nesterov", Range::unit, "Invalid nesterov flag: "},
        {"rate_in_buffer", Range::unit, "Invalid rate_in_buffer flag: "},
        {"bias_correction", Range::unit, "Invalid bias_correction flag: "}};

    T alpha, one_minus_alpha, eps_out, eps_in, mu, take, correct, ahead_u, ahead_b;

    explicit RMSprop(const RuleContext &c)
        : alpha(T(c.h[0])), one_minus_alpha(T(1 - c.h[0])), eps_out(T(c.h[1])), eps_in(T(c.h[2])),
          mu(T(c.h[3])), take(T(c.h[5] != 0 ? c.lr : 1)),
          correct(T(c.h[6] != 0 ? 1 / c.one_minus_power(c.h[0]) : 1)),
          ahead_u(c.h[4] != 0 ? take : T(0)), ahead_b(c.h[4] != 0 ? mu : T(1)) {}

    static double rate(const RuleContext &c) { return momentum && c.h[5] != 0 ? 1 : c.lr; }

    T direction(T g, T /*p*/, T *s) const {
        s[0] = alpha * s[0] + one_minus_alpha * (g * g);
        T square = s[0] * correct;
        if constexpr (centered) {
            s[1] = alpha * s[1] + one_minus_alpha * g;
            const T mean = s[1] * correct;
            square = at_least(square - mean * mean, T(0));
        }
        const T u = g / (sqrt(square + eps_in) + eps_out);
        if constexpr (!momentum)
            return u;
        T &b = s[centered ? 2 : 1];
        b = mu * b + take * u;
        return ahead_u * u + ahead_b * b;
    }
};
