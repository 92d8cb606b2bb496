/// D-Adaptation (Defazio & Mishchenko, 2023) and Prodigy (Mishchenko & Defazio, 2023): the step
/// size follows an estimate d, from below, of the distance from the start to the solution.
///
/// d and what it is made of are one for all tensors. Pass one sums over all of them with the d of
/// the step before; state and step take that d as well, and the new d is for the next step.

/// What the three share: the d in force, and whether anything moves at all.
struct Distance {
    double d;
    bool moves; ///< false: a rate of 0, or no gradient so far; then nothing changes

    /// `sum` is the last of the rule's sums, which is 0 as long as all gradients have been.
    Distance(const RuleContext &c, double d0, int sum)
        : d(c.scalars[0] > 0 ? c.scalars[0] : d0), moves(c.lr > 0 && !empty(c, sum)) {}

    static bool empty(const RuleContext &c, int sum) { return c.sums && c.sums[sum] == 0; }

    /// The number of the step for all tensors together, from 1.
    static uint64_t number(double taken) {
        return taken >= 0 && taken < 0x1p53 ? uint64_t(taken) + 1 : 1;
    }
    /// √(1−β2ᵏ)/(1−β1ᵏ)
    static double correction(double beta1, double beta2, double taken) {
        const uint64_t k = number(taken);
        return sqrt(math::one_minus_power(beta2, k)) / math::one_minus_power(beta1, k);
    }
    /// max(d, min(found, growth·d))
    static double grown(double d, double found, double growth) {
        const double most = d * growth, next = most < found ? most : found;
        return next > d ? next : d;
    }
};

/// Prodigy (algorithm 4, with the decay of β3 and the options of the authors' package).
///   δ = d·η, times √(1−β2ᵏ)/(1−β1ᵏ) with `use_bias_correction`;  β = β3, or √β2
///   r ← β·r + Σ (d/d0)·δ·g·(θ0 − θ)        s ← β·s + (d/d0)·δ·g    (`safeguard_warmup`: d for δ)
///   m ← β1·m + (1−β1)·d·g                  v ← β2·v + (1−β2)·d²·g²
///   d' = max(d_max, d_coef·r/Σ|s|), at most growth_rate·d; all but this by the d of before
///   θ ← θ − δ·m/(√v + d'·ε)
template <class T, unsigned>
struct Prodigy : ApplyRule {
    static constexpr bool own_decay = true, global = true;
    static constexpr int sums = 2;
    static constexpr Names slots = {"exp_avg", "exp_avg_sq", "s", "p0"}; // p0: θ at the start
    static constexpr unsigned non_negative = 0b10;
    static constexpr Names scalar_slots = {"d", "d_max", "d_numerator", "k"};
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"beta_s", Range::unit, "Invalid beta3 value: "},
        {"root_of_beta2", Range::unit, "Invalid beta3 flag: "},
        {"eps", Range::positive, "Invalid epsilon value: "},
        {"d0", Range::positive, "Invalid d0 value: "},
        {"d_coef", Range::positive, "Invalid d_coef value: "},
        {"growth_rate", Range::at_least_one, "Invalid growth_rate value: "},
        {"decouple", Range::unit, "Invalid decouple flag: "},
        {"use_bias_correction", Range::unit, "Invalid use_bias_correction flag: "},
        {"safeguard_warmup", Range::unit, "Invalid safeguard_warmup flag: "}};

    T l2, keep_m, take_m, keep_v, take_v, keep_s, take_s, keep_p, take_u, eps;
    double weight;

    explicit Prodigy(const RuleContext &c) {
        double &d = c.scalars[0], &d_max = c.scalars[1], &numerator = c.scalars[2],
               &taken = c.scalars[3];
        const double d0 = c.h[5], beta = c.h[3] != 0 ? sqrt(c.h[1]) : c.h[2];
        const Distance now(c, d0, 1);
        const double correction = c.h[9] != 0 ? Distance::correction(c.h[0], c.h[1], taken) : 1;
        const double delta = now.d * c.lr * correction, by_d = now.d / d0;
        weight = now.moves ? by_d * delta : 0;
        keep_s = T(now.moves ? beta : c.sums ? 1 : 0); // 0: the terms of a rate of 0 do not count
        take_s = T(!now.moves ? 0 : c.h[10] != 0 ? by_d * now.d : weight);
        double next = now.d;
        if (c.sums && !Distance::empty(c, 1)) {
            numerator = beta * numerator + c.sums[0];
            const double found = c.h[6] * numerator / c.sums[1];
            double start = now.d, most = d_max > 0 ? d_max : d0;
            start = start == d0 && found > start ? found : start;
            most = found > most ? found : most;
            next = start * c.h[7] < most ? start * c.h[7] : most;
            d = next, d_max = most, taken = taken + 1;
        }
        const bool decouple = c.h[8] != 0;
        l2 = T(decouple ? 0 : c.weight_decay);
        keep_p = T(decouple && now.moves ? 1 - c.weight_decay * delta : 1);
        keep_m = T(now.moves ? c.h[0] : 1), take_m = T(now.moves ? now.d * (1 - c.h[0]) : 0);
        keep_v = T(now.moves ? c.h[1] : 1);
        take_v = T(now.moves ? now.d * now.d * (1 - c.h[1]) : 0);
        take_u = T(now.moves ? delta : 0), eps = T(next * c.h[4]);
    }

    T apply(T g, T p, T *s) const {
        g = g + l2 * p;
        s[0] = keep_m * s[0] + take_m * g;
        s[1] = keep_v * s[1] + take_v * (g * g);
        s[2] = keep_s * s[2] + take_s * g;
        return p * keep_p - take_u * (s[0] / (sqrt(s[1]) + eps));
    }

    template <int K>
    double term(T g, T p, T *s) const {
        g = g + l2 * p;
        if constexpr (K == 0)
            return weight * (double(g) * double(s[3] - p));
        else
            return abs(double(keep_s * s[2] + take_s * g));
    }
};

/// Adam with D-Adaptation (algorithm 5).
///   δ = d·η, times √(1−β2ᵏ)/(1−β1ᵏ) with `use_bias_correction`;  q = √β2;  l = `layer_scale`
///   r ← q·r + (1−q)·Σ l·δ·g·s/(√v + ε)      with v and s of before
///   m ← β1·m + (1−β1)·l·δ·g        v ← β2·v + (1−β2)·g²        s ← q·s + (1−q)·δ·g
///   d' = max(d, min(r/((1−q)·Σ l·|s|), growth_rate·d)), for the next step
///   θ ← θ − m/(√v + ε)
template <class T, unsigned>
struct DAdaptAdam : ApplyRule {
    static constexpr bool own_decay = true, global = true;
    static constexpr int sums = 2;
    static constexpr Names slots = {"exp_avg", "exp_avg_sq", "s"};
    static constexpr unsigned non_negative = 0b10;
    static constexpr Names scalar_slots = {"d", "numerator_weighted", "k"};
    static constexpr Hyper hypers[] = {
        {"beta1", Range::below_one, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"eps", Range::positive, "Invalid epsilon value: "},
        {"d0", Range::positive, "Invalid d0 value: "},
        {"growth_rate", Range::at_least_one, "Invalid growth_rate value: "},
        {"decouple", Range::unit, "Invalid decouple flag: "},
        {"use_bias_correction", Range::unit, "Invalid use_bias_correction flag: "},
        {"layer_scale", Range::non_negative, "Invalid layer_scale value: "}};

    T l2, keep_m, take_m, keep_v, take_v, keep_s, take_s, keep_p, take_u, eps;
    double weight, scale;

    explicit DAdaptAdam(const RuleContext &c) {
        double &d = c.scalars[0], &numerator = c.scalars[1], &taken = c.scalars[2];
        const double q = sqrt(c.h[1]);
        const Distance now(c, c.h[3], 1);
        const double correction = c.h[6] != 0 ? Distance::correction(c.h[0], c.h[1], taken) : 1;
        const double delta = now.d * c.lr * correction;
        scale = now.moves ? c.h[7] : 0;
        weight = scale * delta;
        if (c.sums && !Distance::empty(c, 1)) {
            numerator = q * numerator + (1 - q) * c.sums[0];
            d = Distance::grown(now.d, numerator / ((1 - q) * c.sums[1]), c.h[4]);
            taken = taken + 1;
        }
        const bool decouple = c.h[5] != 0;
        l2 = T(decouple ? 0 : c.weight_decay);
        keep_p = T(decouple && now.moves ? 1 - c.weight_decay * delta : 1);
        keep_m = T(now.moves ? c.h[0] : 1), take_m = T(weight * (1 - c.h[0]));
        keep_v = T(now.moves ? c.h[1] : 1), take_v = T(now.moves ? 1 - c.h[1] : 0);
        keep_s = T(now.moves ? q : 1), take_s = T(now.moves ? delta * (1 - q) : 0);
        take_u = T(now.moves ? 1 : 0), eps = T(c.h[2]);
    }

    T apply(T g, T p, T *s) const {
        g = g + l2 * p;
        s[0] = keep_m * s[0] + take_m * g;
        s[1] = keep_v * s[1] + take_v * (g * g);
        s[2] = keep_s * s[2] + take_s * g;
        return p * keep_p - take_u * (s[0] / (sqrt(s[1]) + eps));
    }

    template <int K>
    double term(T g, T p, T *s) const {
        g = g + l2 * p;
        if constexpr (K == 0)
            return weight * (double(g) * double(s[2] / (sqrt(s[1]) + eps)));
        else
            return scale * abs(double(keep_s * s[2] + take_s * g));
    }
};

/// SGD with D-Adaptation (algorithm 4, with momentum as the authors' package has it).
///   δ = d·η/‖g of the first step‖        r ← r + Σ δ·g·s        s ← s + δ·g
///   d' = max(d, min(2r/‖s‖, growth_rate·d)), for the next step
///   θ ← μ·θ + (1−μ)·(θ0 − s)
/// At the first step ‖g‖ is not known before the sums are; s is 0 then, and s + g stands for it.
template <class T, unsigned>
struct DAdaptSGD : ApplyRule {
    static constexpr bool global = true;
    static constexpr int sums = 2;
    static constexpr Names slots = {"s", "x0"}; // x0: θ at the start
    static constexpr Names scalar_slots = {"d", "numerator_weighted", "g0_norm"};
    static constexpr Hyper hypers[] = {
        {"momentum", Range::below_one, "Invalid momentum value: "},
        {"d0", Range::positive, "Invalid d0 value: "},
        {"growth_rate", Range::at_least_one, "Invalid growth_rate value: "}};

    T keep_p, take_z, take_s;
    double weight, counted;

    explicit DAdaptSGD(const RuleContext &c) {
        double &d = c.scalars[0], &numerator = c.scalars[1], &g0_norm = c.scalars[2];
        const Distance now(c, c.h[1], 1);
        const bool first = !(g0_norm > 0), learns = c.sums && !Distance::empty(c, 1);
        if (first && learns)
            g0_norm = sqrt(c.sums[1]);
        const double delta = first && !learns ? 1 : now.d * c.lr / g0_norm;
        counted = now.moves ? 1 : 0;
        weight = now.moves ? delta : 0;
        if (learns) {
            const double norm = first ? delta * g0_norm : sqrt(c.sums[1]);
            numerator = numerator + (first ? 0 : c.sums[0]);
            d = norm > 0 ? Distance::grown(now.d, 2 * numerator / norm, c.h[2]) : now.d;
        }
        keep_p = T(now.moves ? c.h[0] : 1), take_z = T(now.moves ? 1 - c.h[0] : 0);
        take_s = T(weight);
    }

    T apply(T g, T p, T *s) const {
        s[0] = s[0] + take_s * g;
        return keep_p * p + take_z * (s[1] - s[0]);
    }

    template <int K>
    double term(T g, T /*p*/, T *s) const {
        if constexpr (K == 0)
            return weight * (double(g) * double(s[0]));
        else
            return counted * squared(s[0] + take_s * g);
    }
};
