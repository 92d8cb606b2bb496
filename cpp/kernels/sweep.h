// The one loop of all elementwise rules. Everything a step does to an element happens here, in
// the order that every door and the NumPy reference share. No include guard: see kernels.cpp.

/// The gradient as the rule sees it: scaled (and turned round to maximize), clipped, coupled decay.
template <bool Coupled, class T>
OPTCORE_INLINE T prepared(const Common<T> &c, T g, T p) {
    g = at_most(at_least(g * c.grad_factor, -c.clip_value), c.clip_value);
    return Coupled ? g + c.l2 * p : g;
}

/// One element: gradient, rule, decoupled decay, rate. Works on values, so that a storage format
/// narrower than T only has to change how they are loaded and stored.
template <bool Coupled, class T, class Rule>
OPTCORE_INLINE T stepped(const Common<T> &c, const Rule &rule, T g, T p, T *slots) {
    g = prepared<Coupled>(c, g, p);
    if constexpr (Rule::gives_direction) {
        const T u = rule.direction(g, p, slots);
        return p * c.keep - c.rate * u;
    } else {
        return rule.apply(g, p * c.keep, slots);
    }
}

/// p[i] ← f(g[i], p[i], slots of i) for all i.
template <int Slots, class T, class F>
OPTCORE_INLINE void sweep_elements(F f, T *OPTCORE_RESTRICT p, const T *OPTCORE_RESTRICT g,
                                   T *OPTCORE_RESTRICT s0, T *OPTCORE_RESTRICT s1,
                                   T *OPTCORE_RESTRICT s2, T *OPTCORE_RESTRICT s3, int64_t n) {
    OPTCORE_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        T s[kMaxSlots] = {};
        if constexpr (Slots > 0)
            s[0] = s0[i];
        if constexpr (Slots > 1)
            s[1] = s1[i];
        if constexpr (Slots > 2)
            s[2] = s2[i];
        if constexpr (Slots > 3)
            s[3] = s3[i];
        p[i] = f(g[i], p[i], s);
        if constexpr (Slots > 0)
            s0[i] = s[0];
        if constexpr (Slots > 1)
            s1[i] = s[1];
        if constexpr (Slots > 2)
            s2[i] = s[2];
        if constexpr (Slots > 3)
            s3[i] = s[3];
    }
}

template <class T, class Rule, bool Coupled>
void sweep(const void *scalars, const Streams *streams, int64_t n) {
    const auto &all = *static_cast<const Scalars<T, Rule> *>(scalars);
    sweep_elements<Rule::slots.count()>(
        [c = all.common, rule = all.rule](T g, T p, T *s)
            OPTCORE_INLINE_LAMBDA { return stepped<Coupled>(c, rule, g, p, s); },
        static_cast<T *>(streams->param), static_cast<const T *>(streams->grad),
        static_cast<T *>(streams->slot[0]), static_cast<T *>(streams->slot[1]),
        static_cast<T *>(streams->slot[2]), static_cast<T *>(streams->slot[3]), n);
}

// bfloat16 is read and written two at a time, as 32-bit words: every lane of the vectors then stays
// 32 bits wide, and nothing has to be unpacked. Slots are bfloat16 as well, or float32.

inline float low_half(Pair word) { return float_of(word << 16); }
inline float high_half(Pair word) { return float_of(word & 0xffff0000u); }

inline void load_pair(const Pair *s, int64_t k, float &low, float &high) {
    low = low_half(s[k]), high = high_half(s[k]);
}
inline void load_pair(const float *s, int64_t k, float &low, float &high) {
    low = s[2 * k], high = s[2 * k + 1];
}

// Where all inputs are bfloat16 the lower half of a NaN is zero, and needs no care in rounding.
inline void store_pair(Pair *s, int64_t k, float low, float high) {
    s[k] = packed(rounded_bf16(low), rounded_bf16(high));
}
inline void store_pair(float *s, int64_t k, float low, float high) {
    s[2 * k] = low, s[2 * k + 1] = high;
}
inline void store_param(Pair *p, const Pair * /*slots*/, int64_t k, float low, float high) {
    store_pair(p, k, low, high);
}
inline void store_param(Pair *p, const float * /*slots*/, int64_t k, float low, float high) {
    p[k] = packed(nearest_bf16(low), nearest_bf16(high));
}

template <bool Coupled, class Slot, class Rule>
OPTCORE_INLINE void sweep_pairs(const Common<float> c, const Rule rule, Pair *OPTCORE_RESTRICT p,
                                const Pair *OPTCORE_RESTRICT g, Slot *OPTCORE_RESTRICT s0,
                                Slot *OPTCORE_RESTRICT s1, Slot *OPTCORE_RESTRICT s2,
                                Slot *OPTCORE_RESTRICT s3, int64_t pairs) {
    constexpr int slots = Rule::slots.count();
    OPTCORE_INDEPENDENT
    for (int64_t k = 0; k < pairs; ++k) {
        float low[kMaxSlots] = {}, high[kMaxSlots] = {};
        if constexpr (slots > 0)
            load_pair(s0, k, low[0], high[0]);
        if constexpr (slots > 1)
            load_pair(s1, k, low[1], high[1]);
        if constexpr (slots > 2)
            load_pair(s2, k, low[2], high[2]);
        if constexpr (slots > 3)
            load_pair(s3, k, low[3], high[3]);
        const float p0 = stepped<Coupled>(c, rule, low_half(g[k]), low_half(p[k]), low);
        const float p1 = stepped<Coupled>(c, rule, high_half(g[k]), high_half(p[k]), high);
        store_param(p, s0, k, p0, p1);
        if constexpr (slots > 0)
            store_pair(s0, k, low[0], high[0]);
        if constexpr (slots > 1)
            store_pair(s1, k, low[1], high[1]);
        if constexpr (slots > 2)
            store_pair(s2, k, low[2], high[2]);
        if constexpr (slots > 3)
            store_pair(s3, k, low[3], high[3]);
    }
}

inline float last_of(const Pair *s, int64_t i) {
    return from_bf16(reinterpret_cast<const Half *>(s)[i]);
}
inline float last_of(const float *s, int64_t i) { return s[i]; }
inline void set_last(Pair *s, int64_t i, float x) {
    reinterpret_cast<Half *>(s)[i] = Half(nearest_bf16(x) >> 16);
}
inline void set_last(float *s, int64_t i, float x) { s[i] = x; }

template <class Slot, class Rule, bool Coupled>
void sweep_bf16(const void *scalars, const Streams *streams, int64_t n) {
    const auto &all = *static_cast<const Scalars<float, Rule> *>(scalars);
    constexpr int slots = Rule::slots.count();
    Pair *p = static_cast<Pair *>(streams->param);
    const Pair *g = static_cast<const Pair *>(streams->grad);
    Slot *slot[kMaxSlots];
    for (int k = 0; k < kMaxSlots; ++k)
        slot[k] = static_cast<Slot *>(streams->slot[k]);
    sweep_pairs<Coupled>(all.common, all.rule, p, g, slot[0], slot[1], slot[2], slot[3], n / 2);
    if (n % 2 == 0)
        return;
    float s[kMaxSlots] = {};
    for (int k = 0; k < slots; ++k)
        s[k] = last_of(slot[k], n - 1);
    set_last(p, n - 1,
             stepped<Coupled>(all.common, all.rule, last_of(g, n - 1), last_of(p, n - 1), s));
    for (int k = 0; k < slots; ++k)
        set_last(slot[k], n - 1, s[k]);
}
