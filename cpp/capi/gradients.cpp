#include "gradients.h"

#include "arguments.h"
#include "formats.h"

namespace optcore::capi {
namespace {

std::string name_of(const TensorInfo &tensor) { return "the gradient of " + tensor.name; }

void check_aligned(const void *data, int64_t item, const std::string &name) {
    if (reinterpret_cast<uintptr_t>(data) % uintptr_t(item))
        fail(OPTCORE_BAD_LAYOUT, name,
             "an address that is a multiple of its elements' " + std::to_string(item) + " bytes",
             "another", "align the buffer");
}

[[noreturn]] void refuse_rows(const TensorInfo &tensor, const std::string &why,
                              const std::string &mend) {
    fail(OPTCORE_UNSUPPORTED, name_of(tensor), "all elements, as " + why, "rows", mend);
}

IndexType index_type(optcore_dtype dtype, const TensorInfo &tensor) {
    switch (dtype) {
    case OPTCORE_I32: return IndexType::i32;
    case OPTCORE_I64: return IndexType::i64;
    case OPTCORE_U32: return IndexType::u32;
    case OPTCORE_U64: return IndexType::u64;
    default:
        fail(OPTCORE_BAD_DTYPE, name_of(tensor) + ".row_dtype",
             "OPTCORE_I64, OPTCORE_I32, OPTCORE_U64 or OPTCORE_U32", optcore_dtype_name(dtype),
             "pass indices of one of these types");
    }
}

int64_t checked_width(const TensorInfo &tensor, const Tensor &described, const Group &group) {
    const RuleInfo &info = rule_info(group.rule);
    if (info.factored || info.global || info.sums > 0)
        refuse_rows(tensor, "the rule looks at whole tensors", "scatter them into a dense one");
    if (group.mask_update)
        refuse_rows(tensor, "cautious looks at whole tensors", "set it to 0");
    const Buffers &b = *described.buffers;
    for (int k = 0; k < b.slots; ++k)
        if (b.slot_format[k] == Format::code8 || b.slot_format[k] == Format::signed_code8)
            refuse_rows(tensor, "its state is 8-bit", "use float32 or bfloat16 state for it");
    const int64_t width = row_width(tensor.layout, std::ptrdiff_t(bytes_of(tensor.format)));
    if (tensor.layout.shape.empty() || width < 0)
        fail(OPTCORE_BAD_LAYOUT, tensor.name,
             "a C-contiguous tensor of one axis or more, as its gradient names rows",
             "shape " + shown(tensor.layout.shape) + " with strides in bytes " +
                 shown(tensor.layout.strides),
             "pass all elements");
    return width;
}

ReadGradient read_rows(const optcore_gradient &given, const TensorInfo &tensor,
                       const Tensor &described, const Group &group, GradientStore &store) {
    const std::string name = name_of(tensor);
    const int64_t width = checked_width(tensor, described, group);
    const IndexType type = index_type(given.row_dtype, tensor);
    if (given.row_count < 0 || (width > 0 && given.row_count > INT64_MAX / 16 / width))
        fail(OPTCORE_BAD_VALUE, name + ".row_count", "0 or more", std::to_string(given.row_count),
             "count the indices");
    if (given.count != given.row_count * width)
        fail(OPTCORE_BAD_LAYOUT, name + ".count",
             std::to_string(given.row_count * width) + ", a row for each index",
             std::to_string(given.count), "count the elements of all rows");
    if (given.strides)
        fail(OPTCORE_BAD_LAYOUT, name + ".strides", "NULL, as rows lie behind one another",
             "strides", "pass C-contiguous rows");
    ReadGradient read;
    Gradient &g = read.gradient;
    g.format = real_format(given.dtype, name);
    check_aligned(given.data, bytes_of(g.format), name);
    g.data = given.data;
    if (given.count > 0) {
        read.low = reinterpret_cast<uintptr_t>(given.data);
        read.high = read.low + uintptr_t(given.count * bytes_of(g.format));
    }
    RowSet &set = store.next_rows();
    const int64_t item = int64_t(optcore_dtype_bytes(given.row_dtype));
    const int64_t rows = tensor.layout.shape[0];
    const int64_t wrong = set.assign({given.rows, given.row_count, item, type}, rows, width);
    if (wrong >= 0)
        fail(OPTCORE_OUT_OF_RANGE, name + ".rows[" + std::to_string(wrong) + "]",
             "a row of the tensor, 0 to " + std::to_string(rows - 1), "another",
             "count rows from 0");
    g.rows = &set;
    return read;
}

} // namespace

RowSet &GradientStore::next_rows() {
    if (rows_used == rows.size())
        rows.emplace_back();
    return rows[rows_used++];
}

void GradientStore::clear() {
    rows_used = 0;
    axes.clear();
}

ReadGradient read_plain(void *data, const TensorInfo &tensor) {
    ReadGradient read;
    if (!data)
        return read;
    const int64_t item = bytes_of(tensor.format);
    if (reinterpret_cast<uintptr_t>(data) % uintptr_t(item))
        check_aligned(data, item, name_of(tensor));
    read.gradient.data =
        static_cast<char *>(data) + (tensor.first - static_cast<const char *>(tensor.data));
    read.gradient.format = tensor.format;
    if (tensor.layout.size > 0) {
        read.low = reinterpret_cast<uintptr_t>(read.gradient.data);
        read.high = read.low + uintptr_t(int64_t(tensor.layout.size) * item);
    }
    return read;
}

ReadGradient read_described(const optcore_gradient &given, const TensorInfo &tensor,
                            const Tensor &described, const Group &group, GradientStore &store) {
    if (!given.data)
        return {};
    if (given.rows)
        return read_rows(given, tensor, described, group, store);
    const std::string name = name_of(tensor);
    if (given.count != tensor.layout.size)
        fail(OPTCORE_BAD_LAYOUT, name + ".count",
             std::to_string(tensor.layout.size) + ", as its tensor has",
             std::to_string(given.count), "the tensors of an optimizer stay as they were added");
    ReadGradient read;
    Gradient &g = read.gradient;
    g.format = real_format(given.dtype, name);
    const int64_t item = bytes_of(g.format);
    check_aligned(given.data, item, name);
    g.data = given.data;
    if (given.count == 0)
        return read;
    Extents strides;
    if (given.strides) {
        strides = read_strides(given.strides, tensor.layout.shape, item, name);
    } else {
        for (const std::ptrdiff_t stride : tensor.layout.strides)
            strides.push_back(std::ptrdiff_t(stride / bytes_of(tensor.format) * item));
    }
    Walk walk = walk_like(tensor.layout, static_cast<char *>(given.data), strides.data(),
                          std::ptrdiff_t(item));
    g.data = walk.data;
    read.low = walk.low;
    read.high = walk.high;
    if (walk.dense)
        return read;
    store.axes.push_back(std::move(walk.axes));
    g.axes = store.axes.back().data();
    g.axis_count = int(store.axes.back().size());
    return read;
}

} // namespace optcore::capi
