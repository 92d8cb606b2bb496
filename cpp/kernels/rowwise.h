// The loops of rules that keep one number of state per row, a piece of a row at a time.
// No include guard: see kernels.cpp.

template <class T, class Rule, bool Coupled>
double rowwise_sum(const void *scalars, const void *param, const void *grad, int64_t n) {
    const Common<T> c = static_cast<const Scalars<T, Rule> *>(scalars)->common;
    const T *OPTCORE_RESTRICT p = static_cast<const T *>(param);
    const T *OPTCORE_RESTRICT g = static_cast<const T *>(grad);
    return lane_sum(n, [=](int64_t i) { return squared(prepared<Coupled>(c, g[i], p[i])); });
}

template <class T, class Rule>
void rowwise_grow(const void *scalars, void *slot, double mean) {
    T *s = static_cast<T *>(slot);
    *s = static_cast<const Scalars<T, Rule> *>(scalars)->rule.grown(*s, T(mean));
}

template <class T, class Rule, bool Coupled>
void rowwise_apply(const void *scalars, void *param, const void *grad, const void *slot,
                   int64_t n) {
    const auto all = *static_cast<const Scalars<T, Rule> *>(scalars);
    const T s = *static_cast<const T *>(slot);
    T *OPTCORE_RESTRICT p = static_cast<T *>(param);
    const T *OPTCORE_RESTRICT g = static_cast<const T *>(grad);
    OPTCORE_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        const T u = all.rule.direction(prepared<Coupled>(all.common, g[i], p[i]), s);
        p[i] = p[i] * all.common.keep - all.common.rate * u;
    }
}

template <class T, template <class> class Rule, bool Coupled>
constexpr RowwiseLoops rowwise_loops() {
    return {&rowwise_sum<T, Rule<T>, Coupled>, &rowwise_grow<T, Rule<T>>,
            &rowwise_apply<T, Rule<T>, Coupled>};
}

template <template <class> class Rule>
constexpr RuleLoops rowwise_rule_loops() {
    RuleLoops loops = {};
    loops.rowwise[0][int(Dtype::f32)] = rowwise_loops<float, Rule, false>();
    loops.rowwise[0][int(Dtype::f64)] = rowwise_loops<double, Rule, false>();
    loops.rowwise[1][int(Dtype::f32)] = rowwise_loops<float, Rule, true>();
    loops.rowwise[1][int(Dtype::f64)] = rowwise_loops<double, Rule, true>();
    return loops;
}
