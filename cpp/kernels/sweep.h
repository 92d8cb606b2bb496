// The one loop of all elementwise rules. Everything a step does to an element happens here, in
// the order that every door and the NumPy reference share. No include guard: see kernels.cpp.

/// The gradient as the rule sees it: scaled (and turned round to maximize), clipped, coupled decay.
template <bool Coupled, class T>
inline T prepared(const Common<T> &c, T g, T p) {
    g = at_most(at_least(g * c.grad_scale, -c.clip_value), c.clip_value);
    return Coupled ? g + c.l2 * p : g;
}

/// One element: gradient, rule, decoupled decay, rate. Works on values, so that a storage format
/// narrower than T only has to change how they are loaded and stored.
template <bool Coupled, class T, class Rule>
inline T stepped(const Common<T> &c, const Rule &rule, T g, T p, T *slots) {
    g = prepared<Coupled>(c, g, p);
    if constexpr (Rule::gives_direction) {
        const T u = rule.direction(g, p, slots);
        return p * c.keep - c.rate * u;
    } else {
        return rule.apply(g, p * c.keep, slots);
    }
}

template <bool Coupled, class T, class Rule>
inline void sweep_streams(const Common<T> c, const Rule rule, T *OPTCORE_RESTRICT p,
                          const T *OPTCORE_RESTRICT g, T *OPTCORE_RESTRICT s0,
                          T *OPTCORE_RESTRICT s1, T *OPTCORE_RESTRICT s2, int64_t n) {
    constexpr int slots = Rule::slots.count();
    OPTCORE_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        T s[kMaxSlots] = {};
        if constexpr (slots > 0)
            s[0] = s0[i];
        if constexpr (slots > 1)
            s[1] = s1[i];
        if constexpr (slots > 2)
            s[2] = s2[i];
        p[i] = stepped<Coupled>(c, rule, g[i], p[i], s);
        if constexpr (slots > 0)
            s0[i] = s[0];
        if constexpr (slots > 1)
            s1[i] = s[1];
        if constexpr (slots > 2)
            s2[i] = s[2];
    }
}

template <class T, class Rule, bool Coupled>
void sweep(const void *scalars, const Streams *streams, int64_t n) {
    const auto &all = *static_cast<const Scalars<T, Rule> *>(scalars);
    sweep_streams<Coupled>(all.common, all.rule, static_cast<T *>(streams->param),
                           static_cast<const T *>(streams->grad),
                           static_cast<T *>(streams->slot[0]), static_cast<T *>(streams->slot[1]),
                           static_cast<T *>(streams->slot[2]), n);
}

// The table of one rule: every variant it has, with and without coupled decay, in each dtype.

template <template <class, unsigned> class Rule, int Options, unsigned V>
constexpr void fill_variant(RuleLoops &loops) {
    if constexpr (V < (1u << Options)) {
        loops.sweep[V][0][0] = &sweep<float, Rule<float, V>, false>;
        loops.sweep[V][1][0] = &sweep<float, Rule<float, V>, true>;
        loops.sweep[V][0][1] = &sweep<double, Rule<double, V>, false>;
        loops.sweep[V][1][1] = &sweep<double, Rule<double, V>, true>;
        fill_variant<Rule, Options, V + 1>(loops);
    }
}

template <template <class, unsigned> class Rule, int Options>
constexpr RuleLoops rule_loops() {
    RuleLoops loops = {};
    fill_variant<Rule, Options, 0>(loops);
    return loops;
}
