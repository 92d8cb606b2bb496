// Number formats at the border: what a dtype of the interface is to the core, and single values of
// it.
#ifndef OPTCORE_CAPI_FORMATS_H
#define OPTCORE_CAPI_FORMATS_H

#include <cstdint>
#include <string>

#include "../engine/tensor.h"
#include "optcore/optcore.h"

namespace optcore::capi {

/// The format of a dtype that holds real numbers; false for others.
bool real_format(optcore_dtype dtype, Format *format);

/// The format of a parameter or gradient, or an error that names it.
Format real_format(optcore_dtype dtype, const std::string &name);

optcore_dtype dtype_of(Format format);

/// A value of one of those formats, exactly.
double value_at(const void *data, int64_t i, Format format);
/// Rounds a value to nearest into one of those formats.
void put_value(void *data, int64_t i, Format format, double value);

/// One value as an 8-bit code and the scale of a block of it alone.
struct Coded {
    uint8_t code;
    float scale;
};
Coded coded(float value, bool with_sign);

/// The upper and the lower half of a split parameter, put together.
float joined_halves(uint16_t high, uint16_t low);

} // namespace optcore::capi

#endif
