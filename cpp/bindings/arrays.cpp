#include "arrays.h"

#include <algorithm>
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

/// f32 or f64, or an error that says what to do.
Dtype param_dtype(const Array *a, const std::string &path) {
    switch (descr_of(a)->type_num) {
    case npy_api::NPY_FLOAT_: return Dtype::f32;
    case npy_api::NPY_DOUBLE_: return Dtype::f64;
    default:
        type_error(path, "a float32 or float64 array", "a " + dtype_name(a) + " array",
                   "make it one with .astype(np.float32), or np.array(8.0) for a single number");
    }
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

/// The axes longer than 1, slowest first. False where the array is not dense.
bool memory_order(const Array *a, py::ssize_t item, std::vector<int> &order) {
    order.clear();
    for (int k = 0; k < a->nd; ++k)
        if (a->dimensions[k] != 1)
            order.push_back(k);
    std::sort(order.begin(), order.end(), [a](int x, int y) {
        const auto step_x = std::abs(a->strides[x]), step_y = std::abs(a->strides[y]);
        return step_x != step_y ? step_x > step_y : x < y;
    });
    py::ssize_t expected = item;
    for (auto k = order.rbegin(); k != order.rend(); ++k) {
        if (std::abs(a->strides[*k]) != expected)
            return false;
        expected *= a->dimensions[*k];
    }
    return true;
}

py::ssize_t size_of(const Array *a) {
    py::ssize_t size = 1;
    for (int k = 0; k < a->nd; ++k)
        size *= a->dimensions[k];
    return size;
}

/// The lowest address of a dense array.
char *first_element(const Array *a) {
    char *first = a->data;
    for (int k = 0; k < a->nd; ++k)
        if (a->strides[k] < 0 && a->dimensions[k] > 1)
            first += (a->dimensions[k] - 1) * a->strides[k];
    return first;
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
    p.dtype = param_dtype(a, path);
    check_written(a, path);
    p.array = py::reinterpret_borrow<py::object>(object);
    p.path = path;
    p.data = a->data;
    p.descr = py::reinterpret_borrow<py::object>(a->descr);
    p.first = first_element(a);
    p.size = size_of(a);
    p.shape = copied(a->dimensions, a->nd);
    p.strides = copied(a->strides, a->nd);
    if (!memory_order(a, p.dtype == Dtype::f32 ? 4 : 8, p.order) && p.size > 0)
        value_error(path, "a dense array (its elements fill one piece of memory)",
                    "shape " + shown(p.shape) + " with strides " + shown(p.strides),
                    "pass np.ascontiguousarray(a), or the array it is a view of");
    return p;
}

void *check_slot(py::handle object, const Param &param, const std::string &name) {
    const Array *a = written_array(object, name);
    if (param_dtype(a, name) != param.dtype)
        type_error(name,
                   param.dtype == Dtype::f32 ? "float32, as its parameter"
                                             : "float64, as its parameter",
                   dtype_name(a), "make it with np.zeros_like(parameter)");
    check_written(a, name);
    const auto shape = copied(a->dimensions, a->nd);
    if (shape != param.shape)
        value_error(name, "shape " + shown(param.shape) + ", as its parameter", shown(shape),
                    "make it with np.zeros_like(parameter)");
    for (int k = 0; k < a->nd; ++k)
        if (a->dimensions[k] > 1 && a->strides[k] != param.strides[k] && param.size > 0)
            value_error(name, "strides " + shown(param.strides) + ", as its parameter",
                        shown(copied(a->strides, a->nd)), "make it with np.zeros_like(parameter)");
    return first_element(a);
}

void *check_factor(py::handle object, const Param &param, const std::vector<py::ssize_t> &shape,
                   const std::string &name) {
    const Array *a = written_array(object, name);
    if (param_dtype(a, name) != param.dtype)
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

double *check_scalars(py::handle object, int count, const std::string &name) {
    const Array *a = written_array(object, name);
    if (descr_of(a)->type_num != npy_api::NPY_DOUBLE_)
        type_error(name, "a float64 array", dtype_name(a), "make it with np.ones(())");
    check_written(a, name);
    if (size_of(a) != count || !(a->flags & npy_api::NPY_ARRAY_C_CONTIGUOUS_))
        value_error(name, std::to_string(count) + " contiguous value(s)",
                    "shape " + shown(copied(a->dimensions, a->nd)), "make it with np.ones(())");
    return reinterpret_cast<double *>(a->data);
}

MatrixShape matrix_shape(const Param &param) {
    const int nd = int(param.shape.size());
    if (nd < 2)
        return {};
    MatrixShape m;
    m.rows = param.shape[nd - 2];
    m.cols = param.shape[nd - 1];
    m.batch = m.rows && m.cols ? param.size / (m.rows * m.cols) : 0;
    // Which of the last two axes runs faster; the axes before them have to lie in order.
    std::vector<int> straight, turned;
    for (int k = 0; k < nd; ++k)
        if (param.shape[k] != 1)
            straight.push_back(k);
    turned = straight;
    if (m.rows != 1 && m.cols != 1 && turned.size() >= 2)
        std::swap(turned[turned.size() - 1], turned[turned.size() - 2]);
    if (param.size > 0 && param.order != straight) {
        if (param.order != turned)
            value_error(param.path,
                        "a batch of matrices over the last two axes, one behind the other",
                        "strides " + shown(param.strides),
                        "a rule with factored moments needs np.ascontiguousarray(a)");
        std::swap(m.rows, m.cols);
        m.transposed = true;
    }
    for (int k = 0; k < nd; ++k)
        if (param.strides[k] < 0 && param.shape[k] > 1)
            value_error(param.path, "strides that are not negative", shown(param.strides),
                        "a rule with factored moments needs np.ascontiguousarray(a)");
    return m;
}

Gradient read_gradient(PyObject *object, const Param &param, LazyName name, GradientStore &store,
                       uintptr_t *low, uintptr_t *high) {
    Gradient g;
    *low = *high = 0;
    if (object == Py_None)
        return g;

    if (!is_array(object)) {
        if (param.shape.empty() && PyFloat_CheckExact(object)) {
            store.numbers.push_back(PyFloat_AS_DOUBLE(object));
            store.axes.push_back({{1, 8}});
            return {&store.numbers.back(), Number::f64, store.axes.back().data(), 1};
        }
        static const py::handle generic =
            py::object(py::module_::import("numpy").attr("generic")).release(); // for the process
        if (param.shape.empty() && py::isinstance(object, generic)) {
            store.keepers.push_back(
                py::module_::import("numpy").attr("asarray")(py::handle(object)));
            return read_gradient(store.keepers.back().ptr(), param, name, store, low, high);
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

    py::ssize_t item;
    switch (descr_of(a)->type_num) {
    case 23: g.number = Number::f16, item = 2; break; // NPY_HALF
    case npy_api::NPY_FLOAT_: g.number = Number::f32, item = 4; break;
    case npy_api::NPY_DOUBLE_: g.number = Number::f64, item = 8; break;
    case npy_api::NPY_LONGDOUBLE_:
        g.number = Number::long_double, item = sizeof(long double);
        break;
    default:
        type_error(name(), "a real float array", "a " + dtype_name(a) + " array",
                   "convert it with .astype(np.float32)");
    }
    if (!native(a))
        value_error(name(), "native byte order", dtype_name(a),
                    "convert it with g.astype(g.dtype.newbyteorder('='))");
    if (param.size == 0) {
        g.data = param.first ? param.first : reinterpret_cast<const void *>(&store);
        return g;
    }

    const bool same_type = (g.number == Number::f32 && param.dtype == Dtype::f32) ||
                           (g.number == Number::f64 && param.dtype == Dtype::f64);
    const bool aligned = a->flags & npy_api::NPY_ARRAY_ALIGNED_;
    if (same_type && aligned &&
        (bytes == 0 || std::memcmp(a->strides, param.strides.data(), bytes) == 0)) {
        g.data = a->data + (param.first - static_cast<char *>(param.data));
        *low = reinterpret_cast<uintptr_t>(g.data);
        *high = *low + uintptr_t(param.size * item);
        return g;
    }

    // The parameter's memory order, walked over the gradient's strides; neighbours that follow on
    // from each other become one axis.
    std::vector<Axis> axes;
    const char *data = a->data;
    uintptr_t below = 0, above = 0;
    for (int k : param.order) {
        int64_t stride = a->strides[k];
        const int64_t extent = a->dimensions[k];
        (stride < 0 ? below : above) += uintptr_t((extent - 1) * std::abs(stride));
        if (param.strides[k] < 0) {
            data += (extent - 1) * stride;
            stride = -stride;
        }
        if (!axes.empty() && axes.back().stride == stride * extent)
            axes.back() = {axes.back().extent * extent, stride};
        else
            axes.push_back({extent, stride});
    }
    if (axes.empty())
        axes.push_back({1, item});
    g.data = data;
    *low = reinterpret_cast<uintptr_t>(a->data) - below;
    *high = reinterpret_cast<uintptr_t>(a->data) + above + uintptr_t(item);
    if (same_type && aligned && axes.size() == 1 && axes[0].stride == item)
        return g;
    store.axes.push_back(std::move(axes));
    g.axes = store.axes.back().data();
    g.axis_count = int(store.axes.back().size());
    return g;
}

void WrittenBuffers::add(const void *first, int64_t bytes, py::object array, std::string path) {
    if (bytes > 0) {
        const auto low = reinterpret_cast<uintptr_t>(first);
        spans_.push_back({low, low + uintptr_t(bytes), std::move(array), std::move(path)});
    }
}

void WrittenBuffers::finish() {
    std::sort(spans_.begin(), spans_.end(),
              [](const Span &a, const Span &b) { return a.low < b.low; });
    for (size_t i = 1; i < spans_.size(); ++i) {
        const Span &a = spans_[i - 1], &b = spans_[i];
        if (b.low >= a.high)
            continue;
        const bool same = a.array.ptr() == b.array.ptr();
        throw py::value_error(a.path + " and " + b.path +
                              (same ? " are the same array" : " overlap in memory") +
                              "; expected arrays that share no memory: give each its own, or name "
                              "a shared one only once");
    }
}

void WrittenBuffers::check(PyObject *grad, uintptr_t low, uintptr_t high, LazyName name) const {
    // The first buffer that ends after the gradient begins.
    auto span = std::upper_bound(spans_.begin(), spans_.end(), low,
                                 [](uintptr_t at, const Span &s) { return at < s.high; });
    for (; span != spans_.end() && span->low < high; ++span) {
        // A gradient with gaps may lie around a buffer without touching it: let NumPy decide.
        const py::object numpy = py::module_::import("numpy");
        if (is_array(grad) &&
            !numpy.attr("shares_memory")(py::handle(grad), span->array).cast<bool>())
            continue;
        throw py::value_error(
            name() + " and " + span->path +
            " overlap in memory; expected a gradient in memory of its own: pass a copy");
    }
}

} // namespace optcore
