#include "tensors.h"

#include <cstring>
#include <limits>

#include "arguments.h"
#include "formats.h"

namespace optcore::capi {
namespace {

constexpr int kMostAxes = 64;

/// A slot that lies as its parameter does.
Slot like(const TensorInfo &tensor, const std::string &name, optcore_dtype dtype) {
    Slot slot{name, dtype, {}, {}, tensor.layout.size};
    const std::ptrdiff_t item = bytes_of(tensor.format);
    for (size_t k = 0; k < tensor.layout.shape.size(); ++k) {
        slot.shape.push_back(tensor.layout.shape[k]);
        slot.strides.push_back(tensor.layout.strides[k] / item);
    }
    return slot;
}

/// A C-contiguous slot of a shape of its own.
Slot contiguous(const std::string &name, optcore_dtype dtype, const Extents &shape) {
    Slot slot{name, dtype, {shape.begin(), shape.end()}, {}, 1};
    const Extents strides = contiguous_strides(shape, 1);
    slot.strides.assign(strides.begin(), strides.end());
    for (const std::ptrdiff_t extent : shape)
        slot.count *= extent;
    return slot;
}

/// What was chosen for a slot, or −1.
optcore_dtype chosen(const StateFormats &formats, const std::string &slot) {
    auto found = formats.find(slot);
    if (found == formats.end())
        found = formats.find("");
    return found == formats.end() ? -1 : found->second;
}

optcore_dtype slot_dtype(const TensorInfo &tensor, const StateFormats &formats, const char *name) {
    const optcore_dtype own = tensor.dtype() == Dtype::f64 ? OPTCORE_F64 : OPTCORE_F32;
    const optcore_dtype wanted = chosen(formats, name);
    if (wanted < 0)
        return own;
    if ((own == OPTCORE_F64) != (wanted == OPTCORE_F64))
        fail(OPTCORE_BAD_DTYPE, "the state of " + tensor.name,
             own == OPTCORE_F64 ? "float64, as it is float64 throughout"
                                : "float32, bfloat16 or 8 bits, as it computes in float32",
             optcore_dtype_name(wanted), "leave optcore_optimizer_set_state_dtype() out");
    return wanted;
}

void refuse_16_bits(const TensorInfo &tensor, const char *what) {
    if (bytes_of(tensor.format) == 2)
        fail(OPTCORE_BAD_DTYPE, tensor.name, "float32 or float64, as " + std::string(what),
             "16 bits", "step a float32 copy of it, with optcore_tensor::copy to write it back");
}

/// The state of a rule that keeps less than an array like the parameter.
std::vector<Slot> own_slots(const TensorInfo &tensor, const Values &values,
                            const StateFormats &formats) {
    const RuleInfo &info = *values.preset().info;
    refuse_16_bits(tensor, info.factored ? "the rule has factored moments"
                                         : "the rule has one number of state per row");
    const optcore_dtype own = dtype_of(tensor.format);
    for (const auto &[slot, dtype] : formats)
        if (dtype != own)
            fail(OPTCORE_BAD_DTYPE, "the state of " + tensor.name,
                 "the parameter's own type, as it is little", optcore_dtype_name(dtype),
                 "leave optcore_optimizer_set_state_dtype() out");
    Extents shape = tensor.layout.shape;
    const size_t nd = shape.size();
    if (info.rowwise) {
        for (size_t k = 1; k < nd; ++k)
            shape[k] = 1;
        return {contiguous(info.slots(0).at[0], own, shape)};
    }
    const double least = values.named("min_dim_size_to_factor").value;
    const bool matrix = nd >= 2 && double(std::min(shape[nd - 2], shape[nd - 1])) >= least;
    if (!matrix)
        return {like(tensor, info.slots(0).at[0], own)};
    const Names names = info.slots(1);
    Extents rows = shape, cols = shape;
    rows[nd - 1] = 1;
    cols[nd - 2] = 1;
    return {contiguous(names.at[0], own, rows), contiguous(names.at[1], own, cols)};
}

std::vector<Slot> swept_slots(const TensorInfo &tensor, const Values &values,
                              const StateFormats &formats) {
    const Preset &preset = values.preset();
    const Names names = preset.info->slots(values.variant());
    std::vector<Slot> slots;
    for (int k = 0; k < names.count(); ++k) {
        const char *name = names.at[k];
        const optcore_dtype dtype = slot_dtype(tensor, formats, name);
        slots.push_back(like(tensor, name, dtype));
        slots.back().with_sign = !(preset.info->non_negative >> k & 1u);
        if (dtype != OPTCORE_U8)
            continue;
        if (preset.mirrored(name))
            fail(OPTCORE_BAD_DTYPE, std::string(name) + " of " + tensor.name, "float32 or bfloat16",
                 "8 bits", "it is a copy of the parameter, for which 8 bits are too few");
        const Extents blocks = {tensor.layout.size ? (tensor.layout.size - 1) / kQuantum + 1 : 0};
        slots.push_back(contiguous(std::string(name) + "_scale", OPTCORE_F32, blocks));
        slots.back().scale_of = name;
    }
    return slots;
}

} // namespace

void *Slot::origin() const {
    std::ptrdiff_t reach = 0;
    for (size_t k = 0; k < shape.size(); ++k)
        if (strides[k] < 0 && shape[k] > 1)
            reach += std::ptrdiff_t((shape[k] - 1) * strides[k]);
    return count ? static_cast<char *>(first) - reach * std::ptrdiff_t(optcore_dtype_bytes(dtype))
                 : first;
}

const Slot *TensorInfo::slot(const char *wanted) const {
    for (const Slot &each : slots)
        if (each.name == wanted)
            return &each;
    return nullptr;
}

Slot *TensorInfo::slot(const char *wanted) {
    return const_cast<Slot *>(static_cast<const TensorInfo *>(this)->slot(wanted));
}

std::string shown(const Extents &extents) {
    std::string text = "(";
    for (size_t k = 0; k < extents.size(); ++k)
        text += (k ? ", " : "") + std::to_string(extents[k]);
    return text + ")";
}

Extents read_shape(const int64_t *shape, int32_t ndim, int64_t count, const std::string &name) {
    constexpr int64_t most = std::numeric_limits<int64_t>::max() / 16;
    if (count < 0 || count > most)
        fail(OPTCORE_BAD_VALUE, name + ".count", "0 to 2**59", std::to_string(count),
             "count its elements");
    if (ndim < 0 || ndim > kMostAxes)
        fail(OPTCORE_BAD_LAYOUT, name + ".ndim", "0 to " + std::to_string(kMostAxes),
             std::to_string(ndim), "count its axes");
    if (!shape) {
        if (ndim > 1)
            fail(OPTCORE_NULL_POINTER, name + ".shape", std::to_string(ndim) + " extents", "NULL",
                 "pass them, or leave ndim at 0 for one axis");
        return {std::ptrdiff_t(count)};
    }
    int64_t product = 1;
    bool empty = false;
    for (int k = 0; k < ndim; ++k) {
        if (shape[k] < 0)
            fail(OPTCORE_BAD_LAYOUT, name + ".shape[" + std::to_string(k) + "]", "0 or more",
                 std::to_string(shape[k]), "count its elements");
        empty = empty || shape[k] == 0;
    }
    for (int k = 0; k < ndim && !empty; ++k) {
        if (product > most / shape[k])
            fail(OPTCORE_BAD_LAYOUT, name + ".shape", std::to_string(count) + " elements in all",
                 "more than there can be", "look at its extents");
        product *= shape[k];
    }
    if ((empty ? 0 : product) != count)
        fail(OPTCORE_BAD_LAYOUT, name + ".shape", std::to_string(count) + " elements in all",
             std::to_string(empty ? 0 : product), "look at shape and count");
    return {shape, shape + ndim};
}

Extents read_strides(const int64_t *strides, const Extents &shape, int64_t item,
                     const std::string &name) {
    if (!strides)
        return contiguous_strides(shape, std::ptrdiff_t(item));
    constexpr int64_t most = std::numeric_limits<int64_t>::max() / 64;
    Extents bytes;
    for (size_t k = 0; k < shape.size(); ++k) {
        if (strides[k] > most || strides[k] < -most)
            fail(OPTCORE_BAD_LAYOUT, name + ".strides[" + std::to_string(k) + "]",
                 "elements from one index to the next", std::to_string(strides[k]),
                 "count in elements");
        bytes.push_back(std::ptrdiff_t(strides[k] * item));
    }
    return bytes;
}

TensorInfo read_tensor(const optcore_tensor *given, int64_t index) {
    const auto t = taken(given, OPTCORE_UP_TO(optcore_tensor, dtype), "tensor");
    TensorInfo tensor;
    tensor.name = t.name ? t.name : std::to_string(index);
    const std::string &name = tensor.name;
    tensor.format = real_format(t.dtype, name);
    const int64_t item = bytes_of(tensor.format);
    Layout &layout = tensor.layout;
    layout.shape = read_shape(t.shape, t.ndim, t.count, name);
    layout.strides = read_strides(t.strides, layout.shape, item, name);
    layout.size = std::ptrdiff_t(t.count);
    if (t.count > 0 && !t.data)
        fail(OPTCORE_NULL_POINTER, name + ".data", std::to_string(t.count) + " elements", "NULL",
             "pass where they lie");
    if (!memory_order(layout.shape, layout.strides, std::ptrdiff_t(item), layout.order) &&
        t.count > 0)
        fail(OPTCORE_BAD_LAYOUT, name, "elements that fill one piece of memory",
             "shape " + shown(layout.shape) + " with strides in bytes " + shown(layout.strides),
             "only dense parameters can be stepped in place");
    const std::ptrdiff_t reach = t.count ? reach_below(layout.shape, layout.strides) : 0;
    tensor.data = t.data;
    tensor.first = static_cast<char *>(t.data) + (t.data ? reach : 0);
    if (reinterpret_cast<uintptr_t>(tensor.first) % uintptr_t(item))
        fail(OPTCORE_BAD_LAYOUT, name + ".data",
             "an address that is a multiple of its elements' " + std::to_string(item) + " bytes",
             "another", "align the buffer");
    if (t.steps == UINT64_MAX)
        fail(OPTCORE_BAD_VALUE, name + ".steps", "0 to 2**64 - 2", "2**64 - 1",
             "step numbers end there");
    tensor.steps = t.steps;
    if (t.reserved)
        fail(OPTCORE_BAD_STRUCT, name + ".reserved", "0", std::to_string(t.reserved),
             "set the struct to zero first");
    if (t.copy) {
        if (t.copy_dtype != OPTCORE_BF16 && t.copy_dtype != OPTCORE_F16)
            fail(OPTCORE_BAD_DTYPE, name + ".copy_dtype", "OPTCORE_BF16 or OPTCORE_F16",
                 optcore_dtype_name(t.copy_dtype), "a copy is one of 16 bits");
        if (tensor.format == Format::f64)
            fail(OPTCORE_BAD_DTYPE, name + ".copy", "a float32 or 16-bit parameter", "float64",
                 "make it float32, or leave the copy out");
        tensor.copy = t.copy;
        tensor.copy_format = t.copy_dtype == OPTCORE_BF16 ? Format::bf16 : Format::f16;
        tensor.copy_first = static_cast<char *>(t.copy) + reach / item * 2;
        if (reinterpret_cast<uintptr_t>(t.copy) % 2)
            fail(OPTCORE_BAD_LAYOUT, name + ".copy", "an even address", "an odd one",
                 "align the buffer");
    }
    return tensor;
}

Rounding rounding_of(const TensorInfo &tensor, int32_t low_precision) {
    if (low_precision == OPTCORE_NEAREST || bytes_of(tensor.format) != 2)
        return Rounding::nearest;
    if (low_precision != OPTCORE_MASTER && tensor.format == Format::f16)
        fail(OPTCORE_BAD_DTYPE, "low_precision", "bfloat16 parameters, or OPTCORE_MASTER",
             tensor.name + ", which is float16", "use OPTCORE_MASTER, or bfloat16");
    switch (low_precision) {
    case OPTCORE_STOCHASTIC: return Rounding::stochastic;
    case OPTCORE_MASTER: return Rounding::master;
    default: return Rounding::split;
    }
}

std::vector<Slot> plan_slots(const TensorInfo &tensor, const Values &values,
                             const StateFormats &formats, bool average) {
    const RuleInfo &info = *values.preset().info;
    auto slots = info.factored || info.rowwise ? own_slots(tensor, values, formats)
                                               : swept_slots(tensor, values, formats);
    if (tensor.rounding == Rounding::master)
        slots.push_back(like(tensor, "master", OPTCORE_F32));
    if (tensor.rounding == Rounding::split)
        slots.push_back(like(tensor, "remainder", OPTCORE_I16));
    if (average)
        slots.push_back(
            like(tensor, "ema", tensor.dtype() == Dtype::f64 ? OPTCORE_F64 : OPTCORE_F32));
    for (int k = 0; k < info.scalar_slots.count(); ++k) {
        slots.push_back(contiguous(info.scalar_slots.at[k], OPTCORE_F64, {}));
        slots.back().scalar = true;
    }
    return slots;
}

} // namespace optcore::capi
