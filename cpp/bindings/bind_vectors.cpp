// Parameters as one vector: its arithmetic, and gradients gathered into it.
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>

#include "bindings.h"
#include "engine/gather.h"
#include "engine/vectors.h"
#include "gil.h"
#include "read_rows.h"
#include "tree.h"

namespace optcore {
namespace {

struct Vector {
    Dtype dtype;
    const char *data;
    int64_t size;
    int64_t bytes() const { return size * bytes_of(dtype); }
};

/// Checks a vector that is only read: one axis, dense, float32 or float64.
Vector read_vector(py::handle object, const std::string &name) {
    if (!py::isinstance<py::array>(object))
        throw py::type_error(name + ": expected a NumPy array, got " + type_of(object) +
                             "; pass np.asarray(...)");
    const auto a = py::reinterpret_borrow<py::array>(object);
    const bool single = a.dtype().equal(py::dtype::of<float>());
    if (!single && !a.dtype().equal(py::dtype::of<double>()))
        throw py::type_error(name + ": expected a float32 or float64 array, got " +
                             std::string(py::str(a.dtype())) + "; convert it with .astype()");
    const bool aligned = a.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_;
    if (a.ndim() != 1 || (a.size() > 1 && a.strides(0) != a.itemsize()) || !aligned)
        throw py::value_error(name + ": expected a dense array of one axis, got " +
                              std::to_string(a.ndim()) +
                              " axes or gaps; pass np.ascontiguousarray(a).ravel()");
    return {single ? Dtype::f32 : Dtype::f64, static_cast<const char *>(a.data()), a.size()};
}

/// The same for one that is written; its memory.
void *written_vector(py::handle object, const std::string &name, Vector *vector) {
    *vector = read_vector(object, name);
    auto a = py::reinterpret_borrow<py::array>(object);
    if (!a.writeable())
        throw py::value_error(name + ": expected a writable array, got a read-only one; "
                                     "pass a copy");
    return a.mutable_data();
}

void check_alike(const Vector &x, const Vector &y) {
    if (x.dtype != y.dtype || x.size != y.size)
        throw py::value_error("y: expected the size and dtype of x, " + std::to_string(x.size) +
                              " of " + std::to_string(bytes_of(x.dtype)) + " bytes, got " +
                              std::to_string(y.size) + " of " + std::to_string(bytes_of(y.dtype)) +
                              "; pass vectors of one space");
}

double dot_of(py::object x, py::object y, int threads) {
    const Vector a = read_vector(x, "x"), b = read_vector(y, "y");
    check_alike(a, b);
    const GilReleased unlocked(a.size);
    return dot(a.dtype, a.data, b.data, a.size, threads);
}

void axpy_of(double a, py::object x, py::object y, int threads) {
    const Vector from = read_vector(x, "x");
    Vector to;
    void *const out = written_vector(y, "y", &to);
    check_alike(from, to);
    if (from.data < to.data + to.bytes() && to.data < from.data + from.bytes())
        throw py::value_error("y: expected memory of its own, but it overlaps x; pass a copy");
    const GilReleased unlocked(to.size);
    axpy(to.dtype, a, from.data, out, to.size, threads);
}

void scale_of(double a, py::object x, int threads) {
    Vector v;
    void *const out = written_vector(x, "x", &v);
    const GilReleased unlocked(v.size);
    scale(v.dtype, a, out, v.size, threads);
}

/// Checks parameters that are written together: each by itself, and that no two share memory.
void check_params(const std::vector<py::object> &arrays, const std::vector<std::string> &names) {
    WrittenBuffers written;
    for (size_t i = 0; i < arrays.size(); ++i) {
        const Param p = check_param(arrays[i], names.at(i));
        written.add(p.first, p.size * bytes_of(p.format), p.array, p.path);
    }
    written.finish();
}

/// Writes the gradients of a tree, one after the other, each in the memory order of its parameter
/// and rounded once, into a vector; zeros where there is None.
void gather_gradients(const Tree &tree, py::object grads, py::object out,
                      const std::string &params_name, const std::string &name) {
    std::vector<PyObject *> leaves;
    struct References {
        std::vector<PyObject *> &all;
        ~References() {
            for (PyObject *one : all)
                Py_DECREF(one);
        }
    } references{leaves};
    tree.match(grads.ptr(), [&] { return name; }, leaves);

    Vector v;
    char *const to = static_cast<char *>(written_vector(out, "out", &v));
    GradientStore store;
    std::vector<Gradient> read;
    std::vector<int64_t> sizes;
    int64_t total = 0;
    for (size_t i = 0; i < leaves.size(); ++i) {
        const Param p = check_param(tree.leaves()[i], tree.name_of(i, params_name));
        uintptr_t low, high;
        const auto leaf_name = [&] { return tree.name_of(i, name); };
        if (is_rows(leaves[i]))
            refuse_rows(leaf_name(), "the rule looks at all gradients as one vector", kScatter);
        read.push_back(read_gradient(leaves[i], p, leaf_name, store, false, &low, &high));
        sizes.push_back(p.size);
        total += p.size;
    }
    if (total != v.size)
        throw py::value_error("out: expected " + std::to_string(total) +
                              " elements, as the parameters have, got " + std::to_string(v.size) +
                              "; did a parameter change its shape?");
    int64_t at = 0;
    for (size_t i = 0; i < read.size(); at += sizes[i], ++i) {
        char *const here = to + at * bytes_of(v.dtype);
        if (read[i].data && sizes[i] > 0)
            gather(read[i], v.dtype, 0, sizes[i], here);
        else
            std::fill(here, here + sizes[i] * bytes_of(v.dtype), char(0));
    }
}

} // namespace

void bind_vectors(py::module_ &m) {
    m.def("dot", &dot_of, py::arg("x"), py::arg("y"), py::arg("threads") = 0);
    m.def("axpy", &axpy_of, py::arg("a"), py::arg("x"), py::arg("y"), py::arg("threads") = 0);
    m.def("scale", &scale_of, py::arg("a"), py::arg("x"), py::arg("threads") = 0);
    m.def("check_params", &check_params, py::arg("arrays"), py::arg("names"));
    m.def("gather_gradients", &gather_gradients, py::arg("tree"), py::arg("grads"), py::arg("out"),
          py::arg("params_name"), py::arg("name"));
}

} // namespace optcore
