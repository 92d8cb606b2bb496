#include "gather.h"

#include <cstring>

namespace optcore {
namespace {

struct Float16 {
    uint16_t bits;
};
struct Bfloat16 {
    uint16_t bits;
};

float widened(Bfloat16 half) {
    const uint32_t bits = uint32_t(half.bits) << 16;
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

/// IEEE binary16, widened exactly.
float widened(Float16 half) {
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

/// Calls run(address, elements) for each piece of a strided buffer that lies along its innermost
/// axis, over elements [start, start + n).
template <class F>
void for_runs(const Gradient &grad, int64_t start, int64_t n, F run) {
    // The position of `start`, axis by axis.
    const int last = grad.axis_count - 1;
    int64_t index[64];
    char *at = static_cast<char *>(grad.data);
    for (int a = last; a >= 0; --a) {
        index[a] = start % grad.axes[a].extent;
        start /= grad.axes[a].extent;
        at += index[a] * grad.axes[a].stride;
    }
    const Axis inner = grad.axes[last];
    while (n > 0) {
        const int64_t left = inner.extent - index[last], here = left < n ? left : n;
        run(at, here);
        n -= here;
        // Carry into the slower axes.
        index[last] += here;
        at += here * inner.stride;
        for (int a = last; a > 0 && index[a] == grad.axes[a].extent; --a) {
            at -= grad.axes[a].extent * grad.axes[a].stride;
            index[a] = 0;
            ++index[a - 1];
            at += grad.axes[a - 1].stride;
        }
    }
}

template <class From, class To>
void copy_run(const char *at, int64_t stride, int64_t n, To *out) {
    for (int64_t i = 0; i < n; ++i) {
        From x;
        std::memcpy(&x, at + i * stride, sizeof x); // a gradient need not be aligned
        out[i] = To(widened(x));
    }
}

template <class From, class To>
void copy_strided(const Gradient &grad, int64_t start, int64_t n, To *out) {
    const int64_t stride = grad.axes[grad.axis_count - 1].stride;
    for_runs(grad, start, n, [&](const char *at, int64_t here) {
        if (stride == sizeof(From))
            copy_run<From>(at, sizeof(From), here, out);
        else
            copy_run<From>(at, stride, here, out);
        out += here;
    });
}

/// A gradient that is dense, as one axis.
struct Row {
    Axis axis;
    Gradient grad;
    Row(const Gradient &g, int64_t size) : axis{size, bytes_of(g.format)}, grad(g) {
        if (!g.axes)
            grad.axes = &axis, grad.axis_count = 1;
    }
};

template <class To>
void copy(const Gradient &grad, int64_t start, int64_t n, To *out) {
    switch (grad.format) {
    case Format::f16: return copy_strided<Float16>(grad, start, n, out);
    case Format::bf16: return copy_strided<Bfloat16>(grad, start, n, out);
    case Format::f32: return copy_strided<float>(grad, start, n, out);
    case Format::f64: return copy_strided<double>(grad, start, n, out);
    case Format::long_double: return copy_strided<long double>(grad, start, n, out);
    case Format::code8:
    case Format::signed_code8: return; // no gradient's format
    }
}

} // namespace

void gather(const Gradient &grad, Dtype dtype, int64_t start, int64_t n, void *out) noexcept {
    if (grad.rows)
        return gather_rows(grad, dtype, start, n, out);
    const Row row(grad, start + n);
    if (dtype == Dtype::f32)
        copy(row.grad, start, n, static_cast<float *>(out));
    else
        copy(row.grad, start, n, static_cast<double *>(out));
}

void clear(const Gradient &grad, int64_t start, int64_t n) noexcept {
    const Row row(grad, start + n);
    const int64_t item = bytes_of(grad.format);
    const int64_t stride = row.grad.axes[row.grad.axis_count - 1].stride;
    for_runs(row.grad, start, n, [=](char *at, int64_t here) {
        for (int64_t i = 0; i < here; ++i, at += stride)
            std::memset(at, 0, size_t(item));
    });
}

} // namespace optcore
