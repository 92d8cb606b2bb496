// What a rule has to know of a whole tensor before its step. Reads only; the state that the terms
// see is that before the step. No include guard: see kernels.cpp.

/// Adds f(g, p, slots) of every element to 16 lanes.
template <int Slots, class T, class F>
OPTCORE_INLINE void add_elements(F f, const Streams &streams, int64_t n,
                                 double *OPTCORE_RESTRICT lanes) {
    const T *OPTCORE_RESTRICT p = static_cast<const T *>(streams.param);
    const T *OPTCORE_RESTRICT g = static_cast<const T *>(streams.grad);
    const T *OPTCORE_RESTRICT s0 = static_cast<const T *>(streams.slot[0]);
    const T *OPTCORE_RESTRICT s1 = static_cast<const T *>(streams.slot[1]);
    const T *OPTCORE_RESTRICT s2 = static_cast<const T *>(streams.slot[2]);
    const T *OPTCORE_RESTRICT s3 = static_cast<const T *>(streams.slot[3]);
    const auto at = [=](int64_t i) OPTCORE_INLINE_LAMBDA {
        T s[kMaxSlots] = {};
        if constexpr (Slots > 0)
            s[0] = s0[i];
        if constexpr (Slots > 1)
            s[1] = s1[i];
        if constexpr (Slots > 2)
            s[2] = s2[i];
        if constexpr (Slots > 3)
            s[3] = s3[i];
        return f(g[i], p[i], s);
    };
    add_to_lanes(lanes, n, at);
}

template <bool Coupled, int K, class T, class Rule>
OPTCORE_INLINE void add_terms(const Common<T> c, const Rule rule, const Streams &streams, int64_t n,
                              double *lanes) {
    add_elements<Rule::slots.count(), T>(
        [=](T g, T p, T *s) OPTCORE_INLINE_LAMBDA {
            return rule.template term<K>(prepared<Coupled>(c, g, p), p, s);
        },
        streams, n, lanes + K * kLanes);
    if constexpr (K + 1 < Rule::sums)
        add_terms<Coupled, K + 1>(c, rule, streams, n, lanes);
}

template <class T, class Rule, bool Coupled>
void rule_sums(const void *scalars, const Streams *streams, int64_t n, double *lanes) {
    const auto &all = *static_cast<const Scalars<T, Rule> *>(scalars);
    add_terms<Coupled, 0>(all.common, all.rule, *streams, n, lanes);
}

template <class T, class Rule>
constexpr void fill_sums(SumLoop *plain, SumLoop *coupled) {
    *plain = &rule_sums<T, Rule, false>;
    if constexpr (!Rule::own_decay)
        *coupled = &rule_sums<T, Rule, true>;
}
