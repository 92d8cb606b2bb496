#include "tensor_watch.h"

#include <algorithm>

namespace optcore {
namespace {

constexpr int kLookAhead = 4; // keys, before a lookup

std::vector<int64_t> layout_of(const dlpack::Tensor &seen) {
    std::vector<int64_t> layout(seen.shape, seen.shape + seen.ndim);
    layout.insert(layout.end(), seen.strides, seen.strides + seen.ndim);
    return layout;
}

bool laid_out_as(const dlpack::Tensor &seen, const std::vector<int64_t> &layout) {
    const size_t n = size_t(seen.ndim);
    return layout.size() == 2 * n && std::equal(layout.begin(), layout.begin() + n, seen.shape) &&
           std::equal(layout.begin() + n, layout.end(), seen.strides);
}

// Python without a GIL wants a lock around a dict that is walked; others know no such thing.
#ifdef Py_BEGIN_CRITICAL_SECTION
template <class F>
bool locked(PyObject *object, F work) {
    bool result;
    Py_BEGIN_CRITICAL_SECTION(object);
    result = work();
    Py_END_CRITICAL_SECTION();
    return result;
}
#else
template <class F>
bool locked(PyObject *, F work) {
    return work();
}
#endif

} // namespace

TensorWatch::TensorWatch(py::object stepper, py::object api, py::tuple types)
    : keep_(stepper), stepper_(stepper.cast<Stepper &>()), api_(std::move(api)),
      types_(std::move(types)) {}

void TensorWatch::add(py::object param, size_t group,
                      const std::vector<std::pair<py::object, py::object>> &state) {
    const auto watched = [this](const py::object &tensor) {
        dlpack::Tensor seen;
        if (!api_.look(tensor.ptr(), &seen))
            throw py::type_error("tensor: expected one in this machine's memory, got " +
                                 type_of(tensor) + "; move it with .cpu()");
        return Watched{tensor, seen.data, layout_of(seen)};
    };
    Entry entry{watched(param), group, {}};
    for (const auto &[key, tensor] : state)
        entry.state.emplace_back(key, watched(tensor));
    entries_.push_back(std::move(entry));
}

bool TensorWatch::plain(PyObject *tensor) const {
    for (const py::handle &type : types_)
        if (reinterpret_cast<PyObject *>(Py_TYPE(tensor)) == type.ptr())
            return true;
    return false;
}

bool TensorWatch::unmoved(const Watched &watched) const {
    dlpack::Tensor seen;
    return api_.look(watched.tensor.ptr(), &seen) && seen.data == watched.data &&
           laid_out_as(seen, watched.layout);
}

/// Whether what lies in memory is the negative of the tensor, which DLPack does not tell.
bool TensorWatch::negated(PyObject *tensor) const {
    const auto said =
        py::reinterpret_steal<py::object>(PyObject_CallMethodNoArgs(tensor, is_neg_.ptr()));
    if (!said)
        throw py::error_already_set();
    return said.ptr() != Py_False;
}

/// Walks the groups as they are now, and collects the gradients in the stepper's order. False where
/// another parameter has a gradient, or one is missing.
bool TensorWatch::take_gradients(const py::list &groups, std::vector<py::object> &grads) const {
    size_t next = 0;
    for (size_t g = 0; g < groups.size(); ++g) {
        PyObject *group = PyList_GET_ITEM(groups.ptr(), Py_ssize_t(g));
        PyObject *params = PyDict_Check(group) ? PyDict_GetItem(group, params_.ptr()) : nullptr;
        if (!params || !PyList_CheckExact(params))
            return false;
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(params); ++i) {
            PyObject *param = PyList_GET_ITEM(params, i);
            auto grad = py::reinterpret_steal<py::object>(PyObject_GetAttr(param, grad_.ptr()));
            if (!grad)
                throw py::error_already_set();
            const bool known = next < entries_.size() && entries_[next].group == g &&
                               entries_[next].param.tensor.ptr() == param;
            if (known) {
                ++next;
                grads.push_back(std::move(grad));
            } else if (!grad.is_none()) {
                return false;
            }
        }
    }
    return next == entries_.size();
}

bool TensorWatch::same_state(const Entry &entry, PyObject *state) const {
    if (!PyDict_Check(state))
        return false;
    for (const auto &[key, watched] : entry.state)
        if (PyDict_GetItem(state, key.ptr()) != watched.tensor.ptr() || !unmoved(watched))
            return false;
    return true;
}

/// Whether every entry's state is there as it was. Hashing a tensor is a call of a Python function,
/// so the dict is walked: it mostly has its keys in the order of the parameters.
bool TensorWatch::find_states(const py::dict &state) const {
    return locked(state.ptr(), [&] {
        PyObject *key, *value;
        Py_ssize_t at = 0;
        for (const Entry &entry : entries_) {
            PyObject *param = entry.param.tensor.ptr();
            if (entry.state.empty())
                continue;
            bool found = false;
            for (int k = 0; k < kLookAhead && !found && PyDict_Next(state.ptr(), &at, &key, &value);
                 ++k)
                found = key == param;
            if (!found) {
                value = PyDict_GetItemWithError(state.ptr(), param);
                if (!value) {
                    PyErr_Clear();
                    return false;
                }
            }
            if (!same_state(entry, value))
                return false;
        }
        return true;
    });
}

int TensorWatch::traverse(visitproc visit, void *arg) const {
    for (const Entry &entry : entries_) {
        Py_VISIT(entry.param.tensor.ptr());
        for (const auto &[key, watched] : entry.state)
            Py_VISIT(watched.tensor.ptr());
    }
    return 0;
}

py::object TensorWatch::step(const py::list &groups, const py::dict &state, double grad_scale) {
    std::vector<py::object> grads;
    grads.reserve(entries_.size());
    if (!take_gradients(groups, grads) || !find_states(state))
        return py::none();
    std::vector<PyObject *> given;
    given.reserve(entries_.size());
    for (size_t i = 0; i < entries_.size(); ++i) {
        PyObject *grad = grads[i].ptr();
        dlpack::Tensor seen;
        Format format;
        if (!plain(entries_[i].param.tensor.ptr()) ||
            (grad != Py_None && (!plain(grad) || negated(grad))) ||
            !api_.look(entries_[i].param.tensor.ptr(), &seen, &format) ||
            !stepper_.still(i, seen, format))
            return py::none();
        given.push_back(grad);
    }
    const int done = stepper_.step_tensors(given, grad_scale, api_);
    if (done < 0)
        return py::none();
    if (done == 0)
        return py::bool_(false);
    py::list stepped;
    for (size_t i = 0; i < entries_.size(); ++i)
        if (given[i] != Py_None)
            stepped.append(entries_[i].param.tensor);
    return stepped;
}

} // namespace optcore
