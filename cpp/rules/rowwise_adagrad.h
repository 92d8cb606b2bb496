/// Adagrad with one accumulator per row (as embedding tables are trained in FBGEMM and torchrec).
///   s ← s + mean of g² over the row        u = g / (√s + ε)
/// s starts at `initial_accumulator_value`, which is the caller's to fill in.
template <class T>
struct RowwiseAdagrad : DirectionRule {
    static constexpr Names slots = {"sum"};
    static constexpr unsigned non_negative = 0b1;
    static constexpr Hyper hypers[] = {{"eps", Range::non_negative, "Invalid epsilon value: "}};

    T eps;

    explicit RowwiseAdagrad(const RuleContext &c) : eps(T(c.h[0])) {}

    T grown(T s, T mean) const { return s + mean; }
    T direction(T g, T s) const { return g / (sqrt(s) + eps); }
};
