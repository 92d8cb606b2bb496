// optcore._core, family by family.
#include <pybind11/pybind11.h>

#include "bindings.h"
#include "engine/threads.h"

// Python before 3.12 has no way to say that a module is for the main interpreter only, and pybind11
// would hang in another one. So there the module has a front door that looks first.
#if PY_VERSION_HEX < 0x030C0000
#define OPTCORE_MODULE _core_inside
#else
#define OPTCORE_MODULE _core
#endif

PYBIND11_MODULE(OPTCORE_MODULE, m, pybind11::mod_gil_not_used()) {
    optcore::guard_forks();

    optcore::bind_runtime(m);
    optcore::bind_math(m);
    optcore::bind_schedules(m);
    optcore::bind_rules(m);
    optcore::bind_ops(m);
    optcore::bind_stepper(m);
    optcore::bind_vectors(m);
}

#if PY_VERSION_HEX < 0x030C0000
extern "C" PYBIND11_EXPORT PyObject *PyInit__core() {
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError, "optcore cannot be imported in a sub-interpreter; "
                                           "expected the main one: import it there");
        return nullptr;
    }
    return PyInit__core_inside();
}
#endif
