// Cautious masks, for any rule that gives a direction. No include guard: see kernels.cpp.
//   update   where u·g ≤ 0, u is left out, and what is left grows by the share that was left
//            (Liang et al., 2024)
//   decay    where u·θ < 0, decoupled decay is left out (Chen et al., 2025)

template <class T, class Rule>
OPTCORE_INLINE T masked_step(const MaskedScalars<T, Rule> &all, T g, T p, T *slots) {
    g = prepared<true>(all.common, g, p);
    const T u = all.rule.direction(g, p, slots);
    const T kept = u * p < all.masks.decay_limit ? p : p * all.common.keep;
    const T step = u * g <= all.masks.update_limit ? T(0) : u * all.masks.scale;
    return kept - all.common.rate * step;
}

template <class T, class Rule>
OPTCORE_INLINE void masked_streams(const MaskedScalars<T, Rule> all, T *OPTCORE_RESTRICT p,
                                   const T *OPTCORE_RESTRICT g, T *OPTCORE_RESTRICT s0,
                                   T *OPTCORE_RESTRICT s1, T *OPTCORE_RESTRICT s2,
                                   T *OPTCORE_RESTRICT s3, int64_t n) {
    sweep_elements<Rule::slots.count()>(
        [=](T gi, T pi, T *s) OPTCORE_INLINE_LAMBDA { return masked_step(all, gi, pi, s); }, p, g,
        s0, s1, s2, s3, n);
}

template <class T, class Rule>
void masked_sweep(const void *scalars, const Streams *streams, int64_t n) {
    masked_streams(*static_cast<const MaskedScalars<T, Rule> *>(scalars),
                   static_cast<T *>(streams->param), static_cast<const T *>(streams->grad),
                   static_cast<T *>(streams->slot[0]), static_cast<T *>(streams->slot[1]),
                   static_cast<T *>(streams->slot[2]), static_cast<T *>(streams->slot[3]), n);
}

/// How many elements the mask of the update leaves.
template <class T, class Rule>
void agreeing(const void *scalars, const Streams *streams, int64_t n, double *lanes) {
    const auto all = *static_cast<const MaskedScalars<T, Rule> *>(scalars);
    add_elements<Rule::slots.count(), T>(
        [=](T g, T p, T *s) OPTCORE_INLINE_LAMBDA {
            g = prepared<true>(all.common, g, p);
            return all.rule.direction(g, p, s) * g <= all.masks.update_limit ? 0.0 : 1.0;
        },
        *streams, n, lanes);
}
