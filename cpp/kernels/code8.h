// State in 8 bits, in blocks of kQuantum elements with a float32 scale each. What is kept of
// x = scale·y is |y| + c to three bits of its mantissa: relative precision over many octaves, and
// an even grid around zero. Numbers with a sign have 16 octaves, those without 32, as squares need,
// and of them only zero becomes zero: a second moment that vanished before the first would make the
// step as large as 1/ε. No include guard: see kernels.cpp.

constexpr float kLargestFloat = 0x1.fffffep127f;

template <bool Signed>
struct Code {
    static constexpr int shift = 20;
    static constexpr uint32_t largest = Signed ? 127 : 255;
    static constexpr float c = Signed ? 0x1p-16f : 0x1p-32f;
    static constexpr uint32_t c_bits = Signed ? 0x37800000u : 0x2f800000u;

    static float decoded(uint32_t code, float scale) {
        const uint32_t size = Signed ? code & 0x7fu : code;
        const float y = float_of(c_bits + (size << shift)) - c;
        return (Signed ? float_of(bits_of(y) | (code & 0x80u) << 24) : y) * scale;
    }
    static uint32_t encoded(float x, float inverse) {
        const uint32_t u = bits_of(x);
        const float y = (Signed ? float_of(u & ~kSign) : x) * inverse + c;
        const uint32_t size = (bits_of(y) - c_bits + (1u << (shift - 1))) >> shift;
        if (Signed)
            return size | (u >> 24 & 0x80u);
        const uint32_t least = x != 0 ? 1 : 0;
        return size < least ? least : size;
    }
    /// What the largest code stands for, before scaling.
    static float top() { return float_of(c_bits + (largest << shift)) - c; }
};

template <bool Signed>
inline void encode_quantum(const float *OPTCORE_RESTRICT x, uint8_t *OPTCORE_RESTRICT code,
                           float *scale, int64_t n) {
    const float largest = largest_size<float>(n, [=](int64_t i) { return x[i]; });
    const float top = Code<Signed>::top();
    const float s = largest < 0x1p-126f ? 0 : largest / top;
    if (s > 0 && s <= kLargestFloat) {
        const float inverse = top / largest;
        *scale = s;
        OPTCORE_INDEPENDENT
        for (int64_t i = 0; i < n; ++i)
            code[i] = uint8_t(Code<Signed>::encoded(x[i], inverse));
    } else { // all zero; or NaN, infinite, or too large to be scaled
        *scale = s == 0 ? 0 : float_of(kQuietNan);
        memset(code, 0, size_t(n));
    }
}
