/// Schedule-free learning (Defazio, Yang, Mehta, Mishchenko, Khaled & Cutkosky, 2024).
///   gradients are taken at y, steps at z; x, the average of all z, is what is evaluated
///   c = w/Σw,  w = tʳ·(the largest η so far)^p         z ← z − η·u
///   x ← (1−c)·x + c·z                                  y ← β·x + (1−β)·z
/// The parameter is y, and x is not kept, as it follows from the other two:
///   x = y + (1 − 1/β)·(z − y)      y ← y + k·(z − y) + η·(β·(1−c) − 1)·u,  with the z of before
/// k is c, or where β is not the β° that y was made with, c + (1 − β/β°)·(1−c).

/// The scalars of one step, in double.
struct ScheduleFreeStep {
    double toward_z, along_u;

    /// Of a step of rate `lr`; updates the scalars weight_sum, lr_max and interpolation.
    ScheduleFreeStep(const RuleContext &c, double lr, double beta, double r, double power) {
        double &weight_sum = c.scalars[0], &lr_max = c.scalars[1], &interpolation = c.scalars[2];
        lr_max = lr > lr_max ? lr : lr_max;
        const double weight = math::pow(double(c.t), r) * math::pow(lr_max, power);
        weight_sum = weight_sum + weight;
        const double take = weight_sum > 0 ? weight / weight_sum : 0;
        const double before = interpolation > 0 ? interpolation : beta;
        interpolation = beta;
        toward_z = take + (1 - beta / before) * (1 - take);
        along_u = lr * (beta * (1 - take) - 1);
    }

    /// The rate during a linear warm-up of so many steps.
    static double warm(const RuleContext &c, double steps) {
        return double(c.t) < steps ? c.lr * (double(c.t) / steps) : c.lr;
    }
};

/// Schedule-free SGD: u = g.
template <class T, unsigned>
struct ScheduleFreeSGD : ApplyRule {
    static constexpr Names slots = {"z"}; // starts as a copy of the parameter
    static constexpr Names scalar_slots = {"weight_sum", "lr_max", "interpolation"};
    static constexpr Hyper hypers[] = {
        {"momentum", Range::inside_unit, "Invalid momentum value: "},
        {"warmup_steps", Range::non_negative, "Invalid warmup_steps value: "},
        {"r", Range::any, "Invalid r value: "},
        {"weight_lr_power", Range::non_negative, "Invalid weight_lr_power value: "}};

    T lr, toward_z, along_u;

    explicit ScheduleFreeSGD(const RuleContext &c) {
        const double rate = ScheduleFreeStep::warm(c, c.h[1]);
        const ScheduleFreeStep step(c, rate, c.h[0], c.h[2], c.h[3]);
        lr = T(rate), toward_z = T(step.toward_z), along_u = T(step.along_u);
    }

    T apply(T g, T p, T *s) const {
        const T y = p + toward_z * (s[0] - p) + along_u * g;
        s[0] = s[0] - lr * g;
        return y;
    }
};

/// Schedule-free AdamW: v ← β2·v + (1−β2)·g²,  u = g/(√v̂ + ε) + λ·y  with v̂ = v/(1−β2ᵗ).
template <class T, unsigned>
struct ScheduleFreeAdamW : ApplyRule {
    static constexpr bool own_decay = true;
    static constexpr Names slots = {"z", "exp_avg_sq"}; // z starts as a copy of the parameter
    static constexpr unsigned non_negative = 0b10;
    static constexpr Names scalar_slots = {"weight_sum", "lr_max", "interpolation"};
    static constexpr Hyper hypers[] = {
        {"beta1", Range::inside_unit, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"warmup_steps", Range::non_negative, "Invalid warmup_steps value: "},
        {"r", Range::any, "Invalid r value: "},
        {"weight_lr_power", Range::non_negative, "Invalid weight_lr_power value: "}};

    T lr, toward_z, along_u, beta2, one_minus_beta2, correct_v, eps, decay;

    explicit ScheduleFreeAdamW(const RuleContext &c)
        : beta2(T(c.h[1])), one_minus_beta2(T(1 - c.h[1])),
          correct_v(T(1 / c.one_minus_power(c.h[1]))), eps(T(c.h[2])), decay(T(c.weight_decay)) {
        const double rate = ScheduleFreeStep::warm(c, c.h[3]);
        const ScheduleFreeStep step(c, rate, c.h[0], c.h[4], c.h[5]);
        lr = T(rate), toward_z = T(step.toward_z), along_u = T(step.along_u);
    }

    T apply(T g, T p, T *s) const {
        s[1] = beta2 * s[1] + one_minus_beta2 * (g * g);
        const T u = g / (sqrt(s[1] * correct_v) + eps) + decay * p;
        const T y = p + toward_z * (s[0] - p) + along_u * u;
        s[0] = s[0] - lr * u;
        return y;
    }
};

/// Schedule-free RAdam: η times RAdam's rectification (Liu et al., 2020) in the place of η.
///   ρ∞ = 2/(1−β2) − 1,  ρ = ρ∞ − 2t·β2ᵗ/(1−β2ᵗ)
///   ρ > 4    η·√[(ρ−4)(ρ−2)ρ∞ / ((ρ∞−4)(ρ∞−2)ρ)], and AdamW's u
///   else     u = g + λ·y at the rate η, or with `silent_sgd_phase` at the rate 0
template <class T, unsigned>
struct ScheduleFreeRAdam : ApplyRule {
    static constexpr bool own_decay = true;
    static constexpr Names slots = {"z", "exp_avg_sq"}; // z starts as a copy of the parameter
    static constexpr unsigned non_negative = 0b10;
    static constexpr Names scalar_slots = {"weight_sum", "lr_max", "interpolation"};
    static constexpr Hyper hypers[] = {
        {"beta1", Range::inside_unit, "Invalid beta parameter at index 0: "},
        {"beta2", Range::below_one, "Invalid beta parameter at index 1: "},
        {"eps", Range::non_negative, "Invalid epsilon value: "},
        {"r", Range::any, "Invalid r value: "},
        {"weight_lr_power", Range::non_negative, "Invalid weight_lr_power value: "},
        {"silent_sgd_phase", Range::unit, "Invalid silent_sgd_phase flag: "}};

    T lr, toward_z, along_u, beta2, one_minus_beta2, correct_v, eps, decay, least, most;

    explicit ScheduleFreeRAdam(const RuleContext &c)
        : beta2(T(c.h[1])), one_minus_beta2(T(1 - c.h[1])),
          correct_v(T(1 / c.one_minus_power(c.h[1]))), eps(T(c.h[2])), decay(T(c.weight_decay)) {
        const double rho = length(c);
        // In the first phase the denominator is held at 1, which spares the loop a second form.
        least = T(rho > 4 ? 0 : 1), most = T(rho > 4 ? HUGE_VAL : 1);
        const double rate = c.lr * rectification(c, rho);
        const ScheduleFreeStep step(c, rate, c.h[0], c.h[3], c.h[4]);
        lr = T(rate), toward_z = T(step.toward_z), along_u = T(step.along_u);
    }

    /// ρ, how many gradients the average of squares holds, as it were; at most ρ∞.
    static double longest(const RuleContext &c) { return 2 / (1 - c.h[1]) - 1; }
    static double length(const RuleContext &c) {
        const double t = double(c.t), all = c.one_minus_power(c.h[1]);
        return longest(c) - 2 * t * (1 - all) / all;
    }
    static double rectification(const RuleContext &c, double rho) {
        if (!(rho > 4))
            return c.h[5] != 0 ? 0 : 1;
        const double end = longest(c);
        return sqrt((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho));
    }

    T apply(T g, T p, T *s) const {
        s[1] = beta2 * s[1] + one_minus_beta2 * (g * g);
        const T root = at_least(at_most(sqrt(s[1] * correct_v) + eps, most), least);
        const T u = g / root + decay * p;
        const T y = p + toward_z * (s[0] - p) + along_u * u;
        s[0] = s[0] - lr * u;
        return y;
    }
};
