// The one call that a training loop makes in every step, past pybind11's own way of calling, which
// would take a third of the time of a small step.
#include "stepper.h"

namespace optcore {
namespace {

/// Runs `work` and turns its exceptions into Python's.
template <class F>
PyObject *guarded(F work) {
    try {
        return work();
    } catch (py::error_already_set &error) {
        error.restore();
    } catch (const py::builtin_exception &error) {
        error.set_error();
    } catch (const std::bad_alloc &) {
        PyErr_NoMemory();
    } catch (const std::exception &error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
    }
    return nullptr;
}

/// step(grads, grad_scale, directions=None) -> bool
PyObject *step(PyObject *capsule, PyObject *const *args, Py_ssize_t count) {
    return guarded([&] {
        if (count != 2 && count != 3)
            throw py::type_error("step: expected grads, grad_scale and perhaps directions");
        const double scale = PyBool_Check(args[1]) ? -1 : PyFloat_AsDouble(args[1]);
        if (PyBool_Check(args[1]) || (scale == -1 && PyErr_Occurred())) {
            PyErr_Clear();
            throw py::type_error("grad_scale: expected a number, got " +
                                 std::string(py::repr(args[1])) +
                                 "; pass what the loss was multiplied by");
        }
        auto *stepper = static_cast<Stepper *>(PyCapsule_GetPointer(capsule, nullptr));
        const py::handle directions = count == 3 ? args[2] : Py_None;
        const bool stepped = stepper->step(py::reinterpret_borrow<py::object>(args[0]), scale,
                                           py::reinterpret_borrow<py::object>(directions));
        return PyBool_FromLong(stepped);
    });
}

PyMethodDef step_method = {
    "step", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&step)), METH_FASTCALL,
    "step(grads, grad_scale, directions=None): one step; False if a gradient was refused"};

} // namespace

py::object step_call(py::object stepper) {
    // The function keeps a capsule alive, and the capsule the stepper.
    PyObject *capsule = PyCapsule_New(stepper.cast<Stepper *>(), nullptr, [](PyObject *self) {
        Py_XDECREF(static_cast<PyObject *>(PyCapsule_GetContext(self)));
    });
    if (!capsule)
        throw py::error_already_set();
    const auto owned = py::reinterpret_steal<py::object>(capsule);
    PyCapsule_SetContext(capsule, stepper.release().ptr());
    PyObject *function = PyCFunction_New(&step_method, capsule);
    if (!function)
        throw py::error_already_set();
    return py::reinterpret_steal<py::object>(function);
}

} // namespace optcore
