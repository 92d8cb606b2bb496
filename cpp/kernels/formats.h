// The number formats narrower than float32: how one value is widened and narrowed. All of it is
// integer arithmetic and exact float arithmetic, so that it vectorizes at every level and gives the
// same bits with and without the conversion instructions of newer CPUs. No include guard: see
// kernels.cpp.

// Words that hold two 16-bit values, wherever these lie.
#if defined(__GNUC__) || defined(__clang__)
typedef uint32_t Pair __attribute__((may_alias, aligned(2)));
typedef uint16_t Half __attribute__((may_alias));
#else
typedef uint32_t Pair;
typedef uint16_t Half;
#endif

inline uint32_t bits_of(float x) { return __builtin_bit_cast(uint32_t, x); }
inline float float_of(uint32_t bits) { return __builtin_bit_cast(float, bits); }

constexpr uint32_t kSign = 0x80000000u, kQuietNan = 0x7fc00000u;

// bfloat16: the upper half of a float32.

inline float from_bf16(uint32_t half) { return float_of(half << 16); }

/// x rounded to the nearest bfloat16, ties to even, in the upper half of the result; the lower half
/// holds anything. A NaN may come out as another number, unless its lower half is zero.
inline uint32_t rounded_bf16(float x) {
    const uint32_t u = bits_of(x);
    return u + 0x7fffu + ((u >> 16) & 1u);
}

/// The same, and NaN for every NaN.
inline uint32_t nearest_bf16(float x) { return x != x ? kQuietNan : rounded_bf16(x); }

/// The same, up with the probability of what is cut off; `random` is below 2¹⁶.
inline uint32_t stochastic_bf16(float x, uint32_t random) {
    const uint32_t u = bits_of(x);
    return x != x ? kQuietNan : u + random;
}

/// Two upper halves in one word.
inline uint32_t packed(uint32_t low, uint32_t high) { return (low >> 16) | (high & 0xffff0000u); }

// A float32 split in two: the nearest bfloat16 (ties away from zero), and the signed rest.

inline uint32_t splittable(float x) { return x != x ? kQuietNan : bits_of(x); }
inline uint16_t split_high(uint32_t u) { return uint16_t((u + 0x8000u) >> 16); }
inline uint16_t split_low(uint32_t u) { return uint16_t(u); }
inline float joined(uint16_t high, uint16_t low) {
    return float_of((uint32_t(high) << 16) + uint32_t(int32_t(int16_t(low))));
}

// IEEE binary16.

inline float from_f16(uint32_t half) {
    const uint32_t size = half & 0x7fffu;
    const uint32_t rebias = size >= 0x7c00u ? 224u << 23 : 112u << 23; // infinity, NaN: twice
    const float subnormal = float(int32_t(size)) * 0x1p-24f;
    const uint32_t u = size < 0x400u ? bits_of(subnormal) : (size << 13) + rebias;
    return float_of(u | (half & 0x8000u) << 16);
}

inline uint16_t to_f16(float x) {
    const uint32_t u = bits_of(x), size = u & ~kSign;
    const uint32_t normal = ((size + 0xfffu + ((size >> 13) & 1u)) >> 13) - (112u << 10);
    const uint32_t subnormal = bits_of(float_of(size) + 0.5f) - bits_of(0.5f);
    uint32_t half = size < 0x38800000u ? subnormal : normal;
    half = size >= 0x477ff000u ? 0x7c00u : half; // rounds to 65536 or more
    half = x != x ? 0x7e00u : half;
    return uint16_t(half | (u & kSign) >> 16);
}
