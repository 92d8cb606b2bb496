#include "read_rows.h"

#include "rules/registry.h"

namespace optcore {
namespace {

/// The type of an array of integers, or an error.
IndexType index_type(const py::array &indices, const std::string &name) {
    const py::dtype dtype = indices.dtype();
    const std::string shown = py::str(dtype);
    const char kind = dtype.kind();
    if (kind != 'i' && kind != 'u')
        throw py::type_error(name + ": expected an array of integers, got a " + shown +
                             " array; convert it with .astype(np.int64)" +
                             (kind == 'b' ? ", or a mask with np.flatnonzero(mask)" : ""));
    if (dtype.byteorder() != '=' && dtype.byteorder() != '|')
        throw py::value_error(name + ": expected native byte order, got " + shown +
                              "; convert it with i.astype(i.dtype.newbyteorder('='))");
    const bool is_signed = kind == 'i';
    switch (dtype.itemsize()) {
    case 1: return is_signed ? IndexType::i8 : IndexType::u8;
    case 2: return is_signed ? IndexType::i16 : IndexType::u16;
    case 4: return is_signed ? IndexType::i32 : IndexType::u32;
    default: return is_signed ? IndexType::i64 : IndexType::u64;
    }
}

std::vector<py::ssize_t> shape_of(const py::array &a) { return {a.shape(), a.shape() + a.ndim()}; }

void check_supported(const Param &param, const Tensor &tensor, const Group &group,
                     const std::string &name) {
    const RuleInfo &info = rule_info(group.rule);
    if (info.factored || info.global || info.sums > 0)
        refuse_rows(name, kWholeTensors, kScatter);
    if (group.mask_update)
        refuse_rows(name, "cautious=True looks at whole tensors",
                    "leave it out, or put this parameter in a group without it");
    const Buffers &b = *tensor.buffers;
    for (int k = 0; k < b.slots; ++k)
        if (b.slot_format[k] == Format::code8 || b.slot_format[k] == Format::signed_code8)
            refuse_rows(name, "the parameter's state is 8-bit",
                        "blocks of " + std::to_string(kQuantum) +
                            " elements that share a scale straddle rows: use "
                            "state_dtype='bfloat16' or 'float32' for it");
    if (param.shape.empty())
        throw py::value_error(name + ": expected an array, as the parameter has no axes, got rows; "
                                     "pass the gradient itself");
}

} // namespace

bool is_rows(PyObject *grad) {
    static const py::handle type =
        py::object(py::module_::import("optcore.rows").attr("Rows")).release(); // for the process
    return Py_TYPE(grad) == reinterpret_cast<PyTypeObject *>(type.ptr()); // a subclass may differ
}

void refuse_rows(const std::string &name, const std::string &why, const std::string &mend) {
    throw py::type_error(name + ": expected an array, as " + why + ", got rows; " + mend);
}

int64_t row_width(const Param &param, const std::string &why) {
    const int64_t width = optcore::row_width(param, bytes_of(param.format));
    if (width < 0)
        throw py::value_error(param.path + ": expected a C-contiguous array, " + why +
                              ", got strides " + shown(param.strides) +
                              "; make the optimizer over np.ascontiguousarray(a)");
    return width;
}

Gradient read_rows(PyObject *rows, const Param &param, const Tensor &tensor, const Group &group,
                   LazyName name, GradientStore &store, bool zeroed, py::object *values,
                   uintptr_t *low, uintptr_t *high) {
    check_supported(param, tensor, group, name());
    const int64_t width = row_width(param, "as its gradient names rows");
    const py::handle given(rows);
    const auto indices = py::reinterpret_borrow<py::array>(given.attr("indices"));
    *values = given.attr("values");
    store.keepers.push_back(*values);

    const auto in = [&](const char *what) { return name() + "." + what; };
    const IndexType type = index_type(indices, in("indices"));
    if (indices.ndim() != 1)
        throw py::value_error(in("indices") + ": expected one axis, got shape " +
                              shown(shape_of(indices)) +
                              "; flatten it, and the values' leading axes alike");

    // What the values have to look like, as if it were a parameter.
    Param like;
    like.format = param.format;
    like.shape = param.shape;
    like.shape[0] = indices.shape(0);
    like.size = indices.shape(0) * width;
    like.strides.resize(like.shape.size());
    py::ssize_t stride = bytes_of(param.format);
    for (size_t k = like.shape.size(); k-- > 0; stride *= like.shape[k])
        like.strides[k] = stride;
    for (size_t k = 0; k < like.shape.size(); ++k)
        if (like.shape[k] != 1)
            like.order.push_back(int(k));
    const auto array = py::reinterpret_borrow<py::array>(*values);
    if (shape_of(array) != like.shape)
        throw py::value_error(in("values") + ": expected shape " + shown(like.shape) +
                              ", a row of the parameter for each index, got " +
                              shown(shape_of(array)) + "; reshape it, or look at the indices");
    Gradient grad =
        read_gradient(values->ptr(), like, [&] { return in("values"); }, store, zeroed, low, high);

    RowSet &set = store.next_rows();
    const int64_t wrong = set.assign(
        {indices.data(), indices.shape(0), indices.shape(0) > 0 ? indices.strides(0) : 0, type},
        param.shape[0], width);
    if (wrong >= 0)
        throw py::value_error(
            in("indices") + ": expected rows of " + param.path + ", 0 to " +
            std::to_string(param.shape[0] - 1) + ", got " +
            std::string(py::str(indices[py::int_(wrong)])) + " at position " +
            std::to_string(wrong) +
            (param.shape[0] == 0 ? "; the parameter has no rows" : "; count rows from 0"));
    grad.rows = &set;
    return grad;
}

} // namespace optcore
