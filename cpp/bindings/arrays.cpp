#include "arrays.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace optcore {
namespace {

using Array = py::detail::PyArray_Proxy;
using Descr = py::detail::PyArrayDescr_Proxy;
using py::detail::npy_api;

const Array *as_array(PyObject *object) { return py::detail::array_proxy(object); }
const Descr *descr_of(const Array *a) { return reinterpret_cast<const Descr *>(a->descr); }
bool is_array(PyObject *object) { return npy_api::get().PyArray_Check_(object); }

PyObject *ndarray_type() { return reinterpret_cast<PyObject *>(npy_api::get().PyArray_Type_); }

std::string dtype_name(const Array *a) { return py::str(py::handle(a->descr)); }

std::vector<py::ssize_t> copied(const py::ssize_t *values, int n) { return {values, values + n}; }

[[noreturn]] void type_error(const std::string &path, const std::string &expected,
                             const std::string &got, const std::string &mend) {
    throw py::type_error(path + ": expected " + expected + ", got " + got + "; " + mend);
}

[[noreturn]] void value_error(const std::string &path, const std::string &expected,
                              const std::string &got, const std::string &mend) {
    throw py::value_error(path + ": expected " + expected + ", got " + got + "; " + mend);
}

bool native(const Array *a) {
    const char order = descr_of(a)->byteorder;
    return order == '=' || order == '|';
}

// Numbers of NumPy's types that pybind11 does not list.
constexpr int kInt16 = npy_api::NPY_SHORT_, kUint8 = npy_api::NPY_UBYTE_, kFloat16 = 23;

/// The format of the elements, if it is one we know. bfloat16 is a type that the package ml_dtypes
/// adds to NumPy, under a number that it is given when it does.
bool format_of(const Array *a, Format *format) {
    static std::atomic<int> bfloat16{-1};
    const int type = descr_of(a)->type_num;
    switch (type) {
    case npy_api::NPY_FLOAT_: *format = Format::f32; return true;
    case npy_api::NPY_DOUBLE_: *format = Format::f64; return true;
    case kFloat16: *format = Format::f16; return true;
    case npy_api::NPY_LONGDOUBLE_: *format = Format::long_double; return true;
    case kUint8: *format = Format::code8; return true;
    default: break;
    }
    if (type >= 256 && type != bfloat16.load(std::memory_order_relaxed)) {
        if (dtype_name(a) != "bfloat16")
            return false;
        bfloat16.store(type, std::memory_order_relaxed);
    }
    *format = Format::bf16;
    return type >= 256;
}

std::string name_of(Format format) {
    switch (format) {
    case Format::f32: return "float32";
    case Format::f64: return "float64";
    case Format::bf16: return "bfloat16";
    case Format::f16: return "float16";
    case Format::code8:
    case Format::signed_code8: return "uint8";
    case Format::long_double: return "longdouble";
    }
    return "";
}

/// The format of a parameter, or an error that says what to do.
Format param_format(const Array *a, const std::string &path) {
    Format format;
    if (format_of(a, &format) && format != Format::code8 && format != Format::long_double)
        return format;
    type_error(path, "a float32, float64, float16 or bfloat16 array",
               "a " + dtype_name(a) + " array",
               "make it one with .astype(np.float32), or np.array(8.0) for a single number");
}

void check_written(const Array *a, const std::string &path) {
    if (!native(a))
        value_error(path, "native byte order", dtype_name(a),
                    "convert it with a.astype(a.dtype.newbyteorder('='))");
    if (!(a->flags & npy_api::NPY_ARRAY_WRITEABLE_))
        value_error(path, "a writable array", "a read-only one",
                    "pass a copy, or a.setflags(write=True) where you own it");
    if (!(a->flags & npy_api::NPY_ARRAY_ALIGNED_))
        value_error(path, "an aligned array", "a misaligned one", "pass a.copy()");
}

py::ssize_t size_of(const Array *a) {
    py::ssize_t size = 1;
    for (int k = 0; k < a->nd; ++k)
        size *= a->dimensions[k];
    return size;
}

/// The lowest address of a dense array.
char *first_element(const Array *a) {
    return a->data + reach_below(copied(a->dimensions, a->nd), copied(a->strides, a->nd));
}

/// A masked array would be taken without its mask. Only subclasses of ndarray are looked at.
void refuse_masked(PyObject *array, LazyName name) {
    if (reinterpret_cast<PyObject *>(Py_TYPE(array)) != ndarray_type() &&
        py::hasattr(array, "mask"))
        type_error(name(), "a plain NumPy array", type_of(array), "pass its .data or .filled()");
}

const Array *written_array(py::handle object, const std::string &path) {
    if (!is_array(object.ptr())) {
        const bool number = PyNumber_Check(object.ptr());
        type_error(path, "a NumPy array", type_of(object),
                   number ? "only an array can be updated in place: np.array(8.0) makes one"
                          : "pass np.asarray(...), or list(...) of something that holds arrays");
    }
    refuse_masked(object.ptr(), [&] { return path; });
    return as_array(object.ptr());
}

} // namespace

std::string type_of(py::handle object) {
    if (object.is_none())
        return "None";
    const std::string name = Py_TYPE(object.ptr())->tp_name;
    return (std::strchr("aeiou", name[0]) ? "an " : "a ") + name;
}

std::string shown(const std::vector<py::ssize_t> &shape) {
    std::string text = "(";
    for (size_t k = 0; k < shape.size(); ++k)
        text += (k ? ", " : "") + std::to_string(shape[k]);
    return text + (shape.size() == 1 ? ",)" : ")");
}

bool Param::same_array_as_before() const {
    const Array *a = as_array(array.ptr());
    constexpr int needed = npy_api::NPY_ARRAY_WRITEABLE_ | npy_api::NPY_ARRAY_ALIGNED_;
    const size_t bytes = shape.size() * sizeof(py::ssize_t);
    return a->data == data && a->descr == descr.ptr() && size_t(a->nd) == shape.size() &&
           (a->flags & needed) == needed &&
           (bytes == 0 || (std::memcmp(a->dimensions, shape.data(), bytes) == 0 &&
                           std::memcmp(a->strides, strides.data(), bytes) == 0));
}

Param check_param(py::handle object, const std::string &path) {
    const Array *a = written_array(object, path);
    Param p;
    p.format = param_format(a, path);
    check_written(a, path);
    p.array = py::reinterpret_borrow<py::object>(object);
    p.path = path;
    p.data = a->data;
    p.descr = py::reinterpret_borrow<py::object>(a->descr);
    p.first = first_element(a);
    p.size = size_of(a);
    p.shape = copied(a->dimensions, a->nd);
    p.strides = copied(a->strides, a->nd);
    if (!memory_order(p.shape, p.strides, bytes_of(p.format), p.order) && p.size > 0)
        value_error(path, "a dense array (its elements fill one piece of memory)",
                    "shape " + shown(p.shape) + " with strides " + shown(p.strides),
                    "pass np.ascontiguousarray(a), or the array it is a view of");
    return p;
}

namespace {

/// An array that lies in memory as the parameter does; `item` is the size of its elements.
void *check_alike(const Array *a, py::ssize_t item, const Param &param, const std::string &name) {
    check_written(a, name);
    const std::string mend = "make it with np.zeros_like(parameter)";
    const auto shape = copied(a->dimensions, a->nd);
    if (shape != param.shape)
        value_error(name, "shape " + shown(param.shape) + ", as its parameter", shown(shape), mend);
    const auto strides = copied(a->strides, a->nd);
    if (!lies_alike(param, bytes_of(param.format), strides, item))
        value_error(name, "strides " + shown(param.strides) + ", as its parameter", shown(strides),
                    mend);
    return first_element(a);
}

} // namespace

void *check_slot(py::handle object, const Param &param, const std::string &name,
                 std::initializer_list<Format> formats, Format *format) {
    const Array *a = written_array(object, name);
    const bool known = format_of(a, format);
    if (!known || std::find(formats.begin(), formats.end(), *format) == formats.end()) {
        std::string wanted;
        for (Format f : formats)
            wanted += (wanted.empty() ? "" : " or ") + name_of(f);
        type_error(name, wanted + ", as its parameter is " + name_of(param.format), dtype_name(a),
                   "make it with np.zeros_like(parameter, dtype=...)");
    }
    return check_alike(a, bytes_of(*format), param, name);
}

void *check_remainder(py::handle object, const Param &param, const std::string &name) {
    const Array *a = written_array(object, name);
    if (descr_of(a)->type_num != kInt16)
        type_error(name, "an int16 array", dtype_name(a),
                   "make it with np.zeros_like(parameter, dtype=np.int16)");
    return check_alike(a, 2, param, name);
}

float *check_scale(py::handle object, const Param &param, const std::string &name) {
    const Array *a = written_array(object, name);
    if (descr_of(a)->type_num != npy_api::NPY_FLOAT_)
        type_error(name, "a float32 array", dtype_name(a), "make it with np.zeros(n, np.float32)");
    check_written(a, name);
    const py::ssize_t count = param.size ? (param.size - 1) / kQuantum + 1 : 0;
    if (a->nd != 1 || a->dimensions[0] != count || !(a->flags & npy_api::NPY_ARRAY_C_CONTIGUOUS_))
        value_error(name, "a contiguous array of shape " + shown({count}),
                    "shape " + shown(copied(a->dimensions, a->nd)),
                    "there is one scale for every " + std::to_string(kQuantum) + " elements");
    return reinterpret_cast<float *>(a->data);
}

void *check_factor(py::handle object, const Param &param, const std::vector<py::ssize_t> &shape,
                   const std::string &name) {
    const Array *a = written_array(object, name);
    if (param_format(a, name) != param.format)
        type_error(name, "the dtype of its parameter", dtype_name(a),
                   "make it with np.zeros(shape, parameter.dtype)");
    check_written(a, name);
    if (copied(a->dimensions, a->nd) != shape)
        value_error(name, "shape " + shown(shape), shown(copied(a->dimensions, a->nd)),
                    "make it with np.zeros(shape, parameter.dtype)");
    if (!(a->flags & py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_))
        value_error(name, "a C-contiguous array", "strides " + shown(copied(a->strides, a->nd)),
                    "pass np.ascontiguousarray(a)");
    return a->data;
}

double *check_scalar(py::handle object, const std::string &name) {
    const Array *a = written_array(object, name);
    if (descr_of(a)->type_num != npy_api::NPY_DOUBLE_)
        type_error(name, "a float64 array", dtype_name(a), "make it with np.ones(())");
    check_written(a, name);
    if (size_of(a) != 1 || !(a->flags & npy_api::NPY_ARRAY_C_CONTIGUOUS_))
        value_error(name, "1 value", "shape " + shown(copied(a->dimensions, a->nd)),
                    "make it with np.ones(())");
    return reinterpret_cast<double *>(a->data);
}

MatrixShape matrix_shape(const Param &param) {
    MatrixShape matrix;
    if (const char *expected = optcore::matrix_shape(static_cast<const Layout &>(param), &matrix))
        value_error(param.path, expected, "strides " + shown(param.strides),
                    "a rule with factored moments needs np.ascontiguousarray(a)");
    return matrix;
}

Gradient read_gradient(PyObject *object, const Param &param, LazyName name, GradientStore &store,
                       bool zeroed, uintptr_t *low, uintptr_t *high) {
    Gradient g;
    *low = *high = 0;
    if (object == Py_None)
        return g;

    if (zeroed && !is_array(object))
        type_error(name(), "an array, as zero_grads is on", type_of(object),
                   "pass np.array(...), or leave zero_grads out");

    if (!is_array(object)) {
        if (param.shape.empty() && PyFloat_CheckExact(object)) {
            store.numbers.push_back(PyFloat_AS_DOUBLE(object));
            store.axes.push_back({{1, 8}});
            return {&store.numbers.back(), store.axes.back().data(), 1, Format::f64};
        }
        static const py::handle generic =
            py::object(py::module_::import("numpy").attr("generic")).release(); // for the process
        if (param.shape.empty() && py::isinstance(object, generic)) {
            store.keepers.push_back(
                py::module_::import("numpy").attr("asarray")(py::handle(object)));
            return read_gradient(store.keepers.back().ptr(), param, name, store, zeroed, low, high);
        }
        type_error(name(), "a float array of shape " + shown(param.shape), type_of(object),
                   "pass a NumPy array, or None to leave this parameter alone");
    }

    refuse_masked(object, name);
    const Array *a = as_array(object);
    const size_t bytes = param.shape.size() * sizeof(py::ssize_t);
    if (size_t(a->nd) != param.shape.size() ||
        (bytes && std::memcmp(a->dimensions, param.shape.data(), bytes) != 0))
        value_error(name(), "shape " + shown(param.shape) + ", as its parameter",
                    shown(copied(a->dimensions, a->nd)), "reshape it, or sum over the batch first");

    if (!format_of(a, &g.format) || g.format == Format::code8)
        type_error(name(), "a real float array", "a " + dtype_name(a) + " array",
                   "convert it with .astype(np.float32)");
    if (!native(a))
        value_error(name(), "native byte order", dtype_name(a),
                    "convert it with g.astype(g.dtype.newbyteorder('='))");
    if (zeroed && !(a->flags & npy_api::NPY_ARRAY_WRITEABLE_))
        value_error(name(), "a writable array, as zero_grads is on", "a read-only one",
                    "pass a copy, or leave zero_grads out");
    if (param.size == 0) {
        g.data = param.first ? static_cast<void *>(param.first) : &store;
        return g;
    }

    place_gradient(
        g, {a->data, a->dimensions, a->strides, bool(a->flags & npy_api::NPY_ARRAY_ALIGNED_)},
        param, store, low, high);
    return g;
}

void place_gradient(Gradient &g, const Strided &a, const Param &param, GradientStore &store,
                    uintptr_t *low, uintptr_t *high) {
    const size_t bytes = param.shape.size() * sizeof(py::ssize_t);
    const py::ssize_t item = bytes_of(g.format);
    if (g.format == param.format && a.aligned &&
        (bytes == 0 || std::memcmp(a.strides, param.strides.data(), bytes) == 0)) {
        g.data = a.data + (param.first - static_cast<char *>(param.data));
        *low = reinterpret_cast<uintptr_t>(g.data);
        *high = *low + uintptr_t(param.size * item);
        return;
    }

    Walk walk = walk_like(param, a.data, a.strides, item);
    g.data = walk.data;
    *low = walk.low;
    *high = walk.high;
    if (a.aligned && walk.dense)
        return;
    store.axes.push_back(std::move(walk.axes));
    g.axes = store.axes.back().data();
    g.axis_count = int(store.axes.back().size());
}

void WrittenBuffers::add(uintptr_t low, uintptr_t high, py::object array, std::string path) {
    spans_.add(low, high, named_.size());
    named_.push_back({std::move(array), std::move(path)});
}

namespace {

/// Whether arrays whose addresses cross share an element: those with gaps need not.
bool share_memory(py::handle a, py::handle b) {
    return !is_array(a.ptr()) || !is_array(b.ptr()) ||
           py::module_::import("numpy").attr("shares_memory")(a, b).cast<bool>();
}

} // namespace

void WrittenBuffers::finish() {
    spans_.each_crossing([this](size_t i, size_t k) {
        const Named &a = named_[i], &b = named_[k];
        const bool same = a.array.ptr() == b.array.ptr();
        if (same || share_memory(a.array, b.array))
            throw py::value_error(a.path + " and " + b.path +
                                  (same ? " are the same array" : " overlap in memory") +
                                  "; expected arrays that share no memory: give each its own, "
                                  "or name a shared one only once");
    });
}

void WrittenBuffers::check(PyObject *grad, uintptr_t low, uintptr_t high, LazyName name) const {
    spans_.each_crossing(low, high, [&](size_t i) {
        if (share_memory(grad, named_[i].array))
            throw py::value_error(
                name() + " and " + named_[i].path +
                " overlap in memory; expected a gradient in memory of its own: pass a copy");
    });
}

} // namespace optcore
