#include "gather.h"

#include <cstring>

namespace optcore {
namespace {

struct Half {
    uint16_t bits;
};

/// IEEE binary16, widened exactly.
float widened(Half half) {
    const uint32_t sign = uint32_t(half.bits & 0x8000) << 16;
    const uint32_t exponent = (half.bits >> 10) & 31, fraction = half.bits & 0x3ff;
    float x;
    if (exponent == 0) {
        x = float(fraction) * (1.0f / 16777216.0f); // subnormal: fraction · 2⁻²⁴
        return sign ? -x : x;
    }
    const uint32_t bits =
        sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | fraction << 13;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

template <class T>
T widened(T x) {
    return x;
}

template <class From, class To>
void copy_strided(const Gradient &grad, int64_t start, int64_t n, To *out) {
    // The position of `start`, axis by axis; the fastest axis is walked in the inner loop.
    const int last = grad.axis_count - 1;
    int64_t index[64];
    const char *at = static_cast<const char *>(grad.data);
    for (int a = last; a >= 0; --a) {
        index[a] = start % grad.axes[a].extent;
        start /= grad.axes[a].extent;
        at += index[a] * grad.axes[a].stride;
    }
    const Axis inner = grad.axes[last];
    while (n > 0) {
        const int64_t left = inner.extent - index[last], run = left < n ? left : n;
        for (int64_t i = 0; i < run; ++i, at += inner.stride) {
            From x;
            std::memcpy(&x, at, sizeof x); // a gradient need not be aligned
            *out++ = To(widened(x));
        }
        n -= run;
        // Carry into the slower axes.
        index[last] += run;
        for (int a = last; a > 0 && index[a] == grad.axes[a].extent; --a) {
            at -= grad.axes[a].extent * grad.axes[a].stride;
            index[a] = 0;
            ++index[a - 1];
            at += grad.axes[a - 1].stride;
        }
    }
}

template <class To>
void copy(const Gradient &grad, int64_t start, int64_t n, To *out) {
    switch (grad.number) {
    case Number::f16: return copy_strided<Half>(grad, start, n, out);
    case Number::f32: return copy_strided<float>(grad, start, n, out);
    case Number::f64: return copy_strided<double>(grad, start, n, out);
    case Number::long_double: return copy_strided<long double>(grad, start, n, out);
    }
}

} // namespace

void gather(const Gradient &grad, Dtype dtype, int64_t start, int64_t n, void *out) noexcept {
    if (dtype == Dtype::f32)
        copy(grad, start, n, static_cast<float *>(out));
    else
        copy(grad, start, n, static_cast<double *>(out));
}

} // namespace optcore
