// The fast path of the PyTorch door. Between two steps anything may happen to tensors: they are
// moved, replaced, loaded, deleted. A watch remembers where every tensor lay when its stepper was
// made; each step looks whether all is as it was, and takes the gradients that are there.
#ifndef OPTCORE_BINDINGS_TENSOR_WATCH_H
#define OPTCORE_BINDINGS_TENSOR_WATCH_H

#include "dlpack.h"
#include "stepper.h"

namespace optcore {

class TensorWatch {
public:
    /// `types`: those tensors are of, exactly; others may not be what they look like.
    TensorWatch(py::object stepper, py::object api, py::tuple types);

    /// The stepper's next parameter: the tensor, its group, its state (key, tensor).
    void add(py::object param, size_t group,
             const std::vector<std::pair<py::object, py::object>> &state);

    /// One step of a torch optimizer with these groups and this state. A list of the tensors that
    /// were stepped; False: refused, as a gradient is not finite; None: something is not as it
    /// was, or not for this path, and nothing has changed.
    py::object step(const py::list &groups, const py::dict &state, double grad_scale);

    /// For Python's garbage collector, as hooks of a parameter may lead back to its optimizer.
    int traverse(visitproc visit, void *arg) const;
    void clear() { entries_.clear(); }

private:
    struct Watched {
        py::object tensor;
        void *data;
        std::vector<int64_t> layout; ///< shape, then strides
    };
    struct Entry {
        Watched param;
        size_t group;
        std::vector<std::pair<py::object, Watched>> state;
    };

    bool plain(PyObject *tensor) const;
    bool negated(PyObject *tensor) const;
    bool unmoved(const Watched &watched) const;
    bool same_state(const Entry &entry, PyObject *state) const;
    bool take_gradients(const py::list &groups, std::vector<py::object> &grads) const;
    bool find_states(const py::dict &state) const;

    py::object keep_;
    Stepper &stepper_;
    TensorApi api_;
    py::tuple types_;
    py::str params_{"params"}, grad_{"grad"}, is_neg_{"is_neg"};
    std::vector<Entry> entries_;
};

} // namespace optcore

#endif
