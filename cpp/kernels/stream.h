// The byte floor: the same streams as a rule, and next to no arithmetic. Only benchmarks call it.
// No include guard: see kernels.cpp.

template <class T>
inline void stream_n(T *OPTCORE_RESTRICT p, const T *OPTCORE_RESTRICT g, T *OPTCORE_RESTRICT s0,
                     T *OPTCORE_RESTRICT s1, T *OPTCORE_RESTRICT s2, T *OPTCORE_RESTRICT s3,
                     int slots, int64_t n) {
    if (slots == 0) {
        OPTCORE_INDEPENDENT
        for (int64_t i = 0; i < n; ++i)
            p[i] = T(p[i] + g[i]);
    } else if (slots == 1) {
        OPTCORE_INDEPENDENT
        for (int64_t i = 0; i < n; ++i)
            p[i] = T(p[i] + g[i]), s0[i] = T(s0[i] + g[i]);
    } else if (slots == 2) {
        OPTCORE_INDEPENDENT
        for (int64_t i = 0; i < n; ++i)
            p[i] = T(p[i] + g[i]), s0[i] = T(s0[i] + g[i]), s1[i] = T(s1[i] + g[i]);
    } else if (slots == 3) {
        OPTCORE_INDEPENDENT
        for (int64_t i = 0; i < n; ++i)
            p[i] = T(p[i] + g[i]), s0[i] = T(s0[i] + g[i]), s1[i] = T(s1[i] + g[i]),
            s2[i] = T(s2[i] + g[i]);
    } else {
        OPTCORE_INDEPENDENT
        for (int64_t i = 0; i < n; ++i)
            p[i] = T(p[i] + g[i]), s0[i] = T(s0[i] + g[i]), s1[i] = T(s1[i] + g[i]),
            s2[i] = T(s2[i] + g[i]), s3[i] = T(s3[i] + g[i]);
    }
}

template <class T>
void stream(const Streams *s, int slots, int64_t n) {
    stream_n(static_cast<T *>(s->param), static_cast<const T *>(s->grad),
             static_cast<T *>(s->slot[0]), static_cast<T *>(s->slot[1]),
             static_cast<T *>(s->slot[2]), static_cast<T *>(s->slot[3]), slots, n);
}
