// The tensors of an optimizer, and which arrays of state they have.
#ifndef OPTCORE_CAPI_TENSORS_H
#define OPTCORE_CAPI_TENSORS_H

#include <map>
#include <string>
#include <vector>

#include "../engine/layout.h"
#include "optcore/optcore.h"
#include "values.h"

namespace optcore::capi {

/// An array of state.
struct Slot {
    std::string name;
    optcore_dtype dtype;
    std::vector<int64_t> shape, strides; ///< strides in elements
    int64_t count = 0;
    bool with_sign = false;    ///< of 8-bit codes
    std::string scale_of = {}; ///< for the scales of 8-bit state: of which slot
    bool scalar = false;       ///< a float64 number of the tensor as a whole
    void *first = nullptr;     ///< its lowest address
    size_t bytes() const { return size_t(count) * optcore_dtype_bytes(dtype); }
    /// Where its indices begin.
    void *origin() const;
};

struct TensorInfo {
    std::string name;
    Layout layout;
    Format format;
    void *data = nullptr;  ///< where its indices begin
    char *first = nullptr; ///< its lowest address
    int64_t group = 0;
    uint64_t steps = 0;
    void *copy = nullptr;
    char *copy_first = nullptr;
    Format copy_format = Format::bf16;
    Rounding rounding = Rounding::nearest;
    std::vector<Slot> slots = {};

    Dtype dtype() const { return format == Format::f64 ? Dtype::f64 : Dtype::f32; }
    Slot *slot(const char *name);
    const Slot *slot(const char *name) const;
};

/// What state is stored in, by slot; "" stands for all.
using StateFormats = std::map<std::string, optcore_dtype>;

/// Checks a tensor, and describes it; `index` names it if it has no name.
TensorInfo read_tensor(const optcore_tensor *tensor, int64_t index);

/// How its 16 bits are rounded, if it has 16; an error if it cannot be.
Rounding rounding_of(const TensorInfo &tensor, int32_t low_precision);

/// The arrays of state that a tensor needs, as yet without memory.
std::vector<Slot> plan_slots(const TensorInfo &tensor, const Values &values,
                             const StateFormats &formats, bool average);

/// The extents of axes that a shape stands for, `shape` NULL for one axis of `count`; checked.
Extents read_shape(const int64_t *shape, int32_t ndim, int64_t count, const std::string &name);
/// Strides in bytes, NULL for C-contiguous ones.
Extents read_strides(const int64_t *strides, const Extents &shape, int64_t item,
                     const std::string &name);

std::string shown(const Extents &extents);

} // namespace optcore::capi

#endif
