// The one validator of buffers. Arrays are looked at where they lie: nothing is converted or
// copied here, and nothing is written before every argument of a call has passed.
#ifndef OPTCORE_BINDINGS_ARRAYS_H
#define OPTCORE_BINDINGS_ARRAYS_H

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <deque>
#include <initializer_list>
#include <string>
#include <vector>

#include "engine/layout.h"
#include "engine/overlap.h"

namespace optcore {

namespace py = pybind11;

/// A parameter: a dense, writable float array, and the order in which its axes lie in memory.
struct Param : Layout {
    py::object array;
    py::object descr;      ///< the array's dtype object
    std::string path;      ///< as error messages name it
    Format format;         ///< f32, f64, bf16 or f16
    char *first = nullptr; ///< element 0 in memory order
    void *data = nullptr;  ///< the array's own data pointer
    bool same_array_as_before() const;
    /// What a step on it computes in.
    Dtype dtype() const { return format == Format::f64 ? Dtype::f64 : Dtype::f32; }
};

/// Checks an array that will be written: dtype, byte order, alignment, writability, density.
Param check_param(py::handle array, const std::string &path);

/// Checks an array that has to lie exactly as its parameter does, in one of some formats; returns
/// its element 0. The compute type is always among the formats of state.
void *check_slot(py::handle array, const Param &param, const std::string &name,
                 std::initializer_list<Format> formats, Format *format);

/// Checks the other 16 bits of split parameters: int16, lying as the parameter does.
void *check_remainder(py::handle array, const Param &param, const std::string &name);

/// Checks the scales of 8-bit state: float32, one for every kQuantum elements.
float *check_scale(py::handle array, const Param &param, const std::string &name);

/// Checks a state array of its own shape: C-contiguous, of the parameter's dtype.
void *check_factor(py::handle array, const Param &param, const std::vector<py::ssize_t> &shape,
                   const std::string &name);

/// Checks a float64 array of scalar state.
double *check_scalar(py::handle array, const std::string &name);

/// How a matrix, or a batch of them over the last two axes, lies in memory; a ValueError where a
/// factored rule cannot walk it. Tensors of fewer than two axes have batch 0.
MatrixShape matrix_shape(const Param &param);

/// What reading gradients needs beyond the arrays themselves.
struct GradientStore {
    std::deque<std::vector<Axis>> axes;
    std::deque<double> numbers;      ///< Python floats given for 0-d parameters
    std::vector<py::object> keepers; ///< arrays made from NumPy scalars
    std::deque<RowSet> rows;         ///< their memory stays for the next step
    size_t rows_used = 0;

    RowSet &next_rows() {
        if (rows_used == rows.size())
            rows.emplace_back();
        return rows[rows_used++];
    }
    void clear() {
        rows_used = 0;
        axes.clear();
        numbers.clear();
        keepers.clear();
    }
};

/// A name that is put together only when a message needs it.
class LazyName {
public:
    template <class F>
    LazyName(const F &make) // NOLINT(google-explicit-constructor): made at the call
        : make_(&make), call_([](const void *f) { return (*static_cast<const F *>(f))(); }) {}
    std::string operator()() const { return call_(make_); }

private:
    const void *make_;
    std::string (*call_)(const void *);
};

/// Checks a gradient against its parameter. It is only read, so any strides and any real float
/// type will do; if it is to be zeroed it has to be writable. None gives an inactive gradient.
/// `low`, `high` receive the addresses between which it lies.
Gradient read_gradient(PyObject *grad, const Param &param, LazyName name, GradientStore &store,
                       bool zeroed, uintptr_t *low, uintptr_t *high);

/// Where the elements of an array or tensor lie; strides in bytes.
struct Strided {
    char *data;
    const py::ssize_t *shape, *strides;
    bool aligned;
};

/// Points a gradient, whose format is known, at elements of its parameter's shape.
void place_gradient(Gradient &gradient, const Strided &elements, const Param &param,
                    GradientStore &store, uintptr_t *low, uintptr_t *high);

/// The written buffers of a call, to find overlaps.
class WrittenBuffers {
public:
    void add(uintptr_t low, uintptr_t high, py::object array, std::string path);
    void add(const void *first, int64_t bytes, py::object array, std::string path) {
        const auto low = reinterpret_cast<uintptr_t>(first);
        add(low, low + uintptr_t(bytes), std::move(array), std::move(path));
    }
    /// Sorts; a ValueError names any two that overlap.
    void finish();
    /// A ValueError if this gradient shares memory with a written buffer.
    void check(PyObject *grad, uintptr_t low, uintptr_t high, LazyName name) const;

private:
    struct Named {
        py::object array;
        std::string path;
    };
    Spans spans_; ///< their numbers count these:
    std::vector<Named> named_;
};

std::string type_of(py::handle object);
std::string shown(const std::vector<py::ssize_t> &shape);

} // namespace optcore

#endif
