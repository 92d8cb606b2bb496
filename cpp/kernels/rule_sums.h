// What a rule has to know of a whole tensor before its step. Reads only; the state that the terms
// see is that before the step. No include guard: see kernels.cpp.

template <int Slots, class T>
inline void load_slots(const Streams &streams, int64_t i, T *s) {
    for (int k = 0; k < Slots; ++k)
        s[k] = static_cast<const T *>(streams.slot[k])[i];
}

template <bool Coupled, int K, class T, class Rule>
inline void add_terms(const Common<T> c, const Rule rule, const Streams streams, int64_t n,
                      double *lanes) {
    const T *p = static_cast<const T *>(streams.param), *g = static_cast<const T *>(streams.grad);
    add_to_lanes(lanes + K * kLanes, n, [=](int64_t i) {
        T s[kMaxSlots] = {};
        load_slots<Rule::slots.count()>(streams, i, s);
        return rule.template term<K>(prepared<Coupled>(c, g[i], p[i]), p[i], s);
    });
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
