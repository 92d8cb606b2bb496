// From and to the stored formats, a chunk at a time. No include guard: see kernels.cpp.

template <class T>
constexpr Format own_format() {
    return sizeof(T) == 4 ? Format::f32 : Format::f64;
}

template <class From, class To>
inline void cast(const void *from, int64_t at, int64_t n, To *OPTCORE_RESTRICT to) {
    const From *OPTCORE_RESTRICT x = static_cast<const From *>(from) + at;
    OPTCORE_INDEPENDENT
    for (int64_t i = 0; i < n; ++i)
        to[i] = To(x[i]);
}

template <float (*Widened)(uint32_t), class To>
inline void widen(const void *from, int64_t at, int64_t n, To *OPTCORE_RESTRICT to) {
    const Half *OPTCORE_RESTRICT x = static_cast<const Half *>(from) + at;
    OPTCORE_INDEPENDENT
    for (int64_t i = 0; i < n; ++i)
        to[i] = To(Widened(x[i]));
}

/// Elements [at, at + n) of a float buffer in the compute type: where they are, or in `room`.
template <class T>
inline T *loaded(const void *from, Format format, int64_t at, int64_t n, T *room) {
    switch (format) {
    case Format::f32:
        if (own_format<T>() == Format::f32)
            break;
        cast<float>(from, at, n, room);
        return room;
    case Format::f64:
        if (own_format<T>() == Format::f64)
            break;
        cast<double>(from, at, n, room);
        return room;
    case Format::bf16: widen<from_bf16>(from, at, n, room); return room;
    case Format::f16: widen<from_f16>(from, at, n, room); return room;
    default: break;
    }
    return static_cast<T *>(const_cast<void *>(from)) + at;
}

/// Writes n floats as 16-bit numbers, rounded to the nearest.
inline void store_half(const float *OPTCORE_RESTRICT x, Format format, void *to, int64_t at,
                       int64_t n) {
    Half *OPTCORE_RESTRICT out = static_cast<Half *>(to) + at;
    if (format == Format::bf16) {
        OPTCORE_INDEPENDENT
        for (int64_t i = 0; i < n; ++i)
            out[i] = Half(nearest_bf16(x[i]) >> 16);
    } else {
        OPTCORE_INDEPENDENT
        for (int64_t i = 0; i < n; ++i)
            out[i] = to_f16(x[i]);
    }
}

inline void store_stochastic(const float *OPTCORE_RESTRICT x, void *to, int64_t at, int64_t n,
                             uint64_t key) {
    // Only chunks of single rows begin at an odd element, or straddle a multiple of 2³³.
    const int64_t first_half = at % 2 ? 1 : (int64_t(1) << 33) - (at & ((int64_t(1) << 33) - 1));
    if (n > first_half) {
        store_stochastic(x, to, at, first_half, key);
        return store_stochastic(x + first_half, to, at + first_half, n - first_half, key);
    }
    const uint64_t mixed_key = mixed(key ^ (uint64_t(at) >> 33));
    const uint32_t key0 = uint32_t(mixed_key), key1 = uint32_t(mixed_key >> 32);
    const uint32_t first = uint32_t(at >> 1);
    Half *OPTCORE_RESTRICT out = static_cast<Half *>(to) + at;
    Pair *OPTCORE_RESTRICT pairs = reinterpret_cast<Pair *>(out);
    OPTCORE_INDEPENDENT
    for (int64_t k = 0; k < n / 2; ++k) {
        const uint32_t random = random_bits(first + uint32_t(k), key0, key1);
        pairs[k] = packed(stochastic_bf16(x[2 * k], random & 0xffffu),
                          stochastic_bf16(x[2 * k + 1], random >> 16));
    }
    if (n % 2) {
        const uint32_t random = random_bits(first + uint32_t(n / 2), key0, key1) >> (at % 2 * 16);
        out[n - 1] = Half(stochastic_bf16(x[n - 1], random & 0xffffu) >> 16);
    }
}

inline void load_split(const void *high, const void *low, int64_t at, int64_t n,
                       float *OPTCORE_RESTRICT to) {
    const Half *OPTCORE_RESTRICT h = static_cast<const Half *>(high) + at;
    const Half *OPTCORE_RESTRICT l = static_cast<const Half *>(low) + at;
    OPTCORE_INDEPENDENT
    for (int64_t i = 0; i < n; ++i)
        to[i] = joined(h[i], l[i]);
}

inline void store_split(const float *OPTCORE_RESTRICT x, void *high, void *low, int64_t at,
                        int64_t n) {
    Half *OPTCORE_RESTRICT h = static_cast<Half *>(high) + at;
    Half *OPTCORE_RESTRICT l = static_cast<Half *>(low) + at;
    OPTCORE_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        const uint32_t u = splittable(x[i]);
        h[i] = split_high(u);
        l[i] = split_low(u);
    }
}

/// The master where the parameter is still its rounding; where somebody has written to the
/// parameter since, the parameter.
template <float (*Widened)(uint32_t), bool Bf16>
inline void load_master(const void *param, void *kept, int64_t at, int64_t n) {
    const Half *OPTCORE_RESTRICT p = static_cast<const Half *>(param) + at;
    float *OPTCORE_RESTRICT master = static_cast<float *>(kept) + at;
    OPTCORE_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
        const float m = master[i];
        const Half rounding = Bf16 ? Half(nearest_bf16(m) >> 16) : to_f16(m);
        master[i] = rounding == p[i] ? m : Widened(p[i]);
    }
}

template <bool Signed>
inline void load_codes(const void *from, const float *scale, int64_t at, int64_t n,
                       float *OPTCORE_RESTRICT to) {
    const uint8_t *OPTCORE_RESTRICT code = static_cast<const uint8_t *>(from) + at;
    for (int64_t b = 0; b < n; b += kQuantum) {
        const int64_t end = b + kQuantum < n ? b + kQuantum : n;
        const float s = scale[(at + b) / kQuantum];
        OPTCORE_INDEPENDENT
        for (int64_t i = b; i < end; ++i)
            to[i] = Code<Signed>::decoded(code[i], s);
    }
}

template <bool Signed>
inline void store_codes(const float *x, void *to, float *scale, int64_t at, int64_t n) {
    for (int64_t b = 0; b < n; b += kQuantum)
        encode_quantum<Signed>(x + b, static_cast<uint8_t *>(to) + at + b,
                               scale + (at + b) / kQuantum, n - b < kQuantum ? n - b : kQuantum);
}
