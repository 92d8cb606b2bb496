#include "formats.h"

#include <cmath>
#include <cstring>

#include "errors.h"

namespace optcore::capi {
namespace {

#include "../kernels/formats.h"

template <class T>
T at(const void *data, int64_t i) {
    T value;
    std::memcpy(&value, static_cast<const char *>(data) + i * int64_t(sizeof(T)), sizeof(T));
    return value;
}

template <class T>
void put(void *data, int64_t i, T value) {
    std::memcpy(static_cast<char *>(data) + i * int64_t(sizeof(T)), &value, sizeof(T));
}

} // namespace

bool real_format(optcore_dtype dtype, Format *format) {
    switch (dtype) {
    case OPTCORE_F32: *format = Format::f32; return true;
    case OPTCORE_F64: *format = Format::f64; return true;
    case OPTCORE_BF16: *format = Format::bf16; return true;
    case OPTCORE_F16: *format = Format::f16; return true;
    default: return false;
    }
}

Format real_format(optcore_dtype dtype, const std::string &name) {
    Format format;
    if (!real_format(dtype, &format))
        fail(OPTCORE_BAD_DTYPE, name + ".dtype",
             "OPTCORE_F32, OPTCORE_F64, OPTCORE_BF16 or OPTCORE_F16", optcore_dtype_name(dtype),
             "pass real numbers");
    return format;
}

optcore_dtype dtype_of(Format format) {
    switch (format) {
    case Format::f32: return OPTCORE_F32;
    case Format::f64: return OPTCORE_F64;
    case Format::bf16: return OPTCORE_BF16;
    case Format::f16: return OPTCORE_F16;
    case Format::code8:
    case Format::signed_code8: return OPTCORE_U8;
    case Format::long_double: break;
    }
    return -1;
}

double value_at(const void *data, int64_t i, Format format) {
    switch (format) {
    case Format::f32: return double(at<float>(data, i));
    case Format::f64: return at<double>(data, i);
    case Format::bf16: return double(from_bf16(at<uint16_t>(data, i)));
    default: return double(from_f16(at<uint16_t>(data, i)));
    }
}

void put_value(void *data, int64_t i, Format format, double value) {
    switch (format) {
    case Format::f32: put(data, i, float(value)); break;
    case Format::f64: put(data, i, value); break;
    case Format::bf16: put(data, i, uint16_t(nearest_bf16(float(value)) >> 16)); break;
    default: put(data, i, to_f16(float(value))); break;
    }
}

Coded coded(float value, bool with_sign) {
    // As encode_quantum of kernels/code8.h codes a block of this one number.
    const uint32_t c_bits = with_sign ? 0x37800000u : 0x2f800000u, largest = with_sign ? 127 : 255;
    const float c = float_of(c_bits), top = float_of(c_bits + (largest << 20)) - c;
    const float size = std::fabs(value), scale = size < 0x1p-126f ? 0 : size / top;
    if (!(scale > 0 && std::isfinite(scale)))
        return {0, scale == 0 ? 0 : float_of(kQuietNan)};
    const float y = size * (top / size) + c;
    const uint32_t code = (bits_of(y) - c_bits + (1u << 19)) >> 20;
    return {uint8_t(with_sign && value < 0 ? code | 0x80u : code), scale};
}

float joined_halves(uint16_t high, uint16_t low) { return joined(high, low); }

} // namespace optcore::capi

size_t optcore_dtype_bytes(optcore_dtype dtype) noexcept {
    constexpr size_t bytes[] = {4, 8, 2, 2, 1, 2, 4, 8, 4, 8};
    return dtype >= 0 && dtype < 10 ? bytes[dtype] : 0;
}

const char *optcore_dtype_name(optcore_dtype dtype) noexcept {
    static const char *const names[] = {"float32", "float64", "bfloat16", "float16", "uint8",
                                        "int16",   "int32",   "int64",    "uint32",  "uint64"};
    return dtype >= 0 && dtype < 10 ? names[dtype] : "no dtype";
}
