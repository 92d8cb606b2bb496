#include "saved.h"

#include <cstring>

#include "arguments.h"
#include "tensors.h"

namespace optcore::capi {

optcore_array SavedArray::view() const {
    optcore_array array = {};
    array.name = name.c_str();
    array.data = const_cast<unsigned char *>(data.data());
    array.count = count;
    array.dtype = dtype;
    array.ndim = int32_t(shape.size());
    static const int64_t none = 0;
    array.shape = shape.empty() ? &none : shape.data();
    array.strides = strides.empty() ? &none : strides.data();
    return array;
}

SavedArray copied(const optcore_array *given) {
    const auto a = taken(given, OPTCORE_UP_TO(optcore_array, dtype), "array");
    not_null(a.name, "array.name");
    const size_t item = optcore_dtype_bytes(a.dtype);
    if (!item)
        fail(OPTCORE_BAD_DTYPE, "array.dtype", "one of optcore_dtype", std::to_string(a.dtype),
             "pass e.g. OPTCORE_F32");
    const Extents shape = read_shape(a.shape, a.ndim, a.count, a.name);
    const Extents strides = read_strides(a.strides, shape, 1, a.name);
    if (a.count > 0)
        not_null(a.data, "array.data");
    SavedArray array;
    array.name = a.name;
    array.dtype = a.dtype;
    array.shape.assign(shape.begin(), shape.end());
    const Extents dense = contiguous_strides(shape, 1);
    array.strides.assign(dense.begin(), dense.end());
    array.count = a.count;
    array.data.resize(size_t(a.count) * item);
    each_element(array.shape, {strides.begin(), strides.end()}, [&](int64_t i, int64_t offset) {
        std::memcpy(array.data.data() + size_t(i) * item,
                    static_cast<const char *>(a.data) + offset * int64_t(item), item);
    });
    return array;
}

} // namespace optcore::capi
