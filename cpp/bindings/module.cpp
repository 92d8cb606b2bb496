// optcore._core, family by family.
#include <pybind11/pybind11.h>

#include "bindings.h"
#include "engine/cpu.h"
#include "engine/threads.h"

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
    optcore::guard_forks();
    optcore::kernels(); // an OPTCORE_ISA that cannot be had fails here, at import

    optcore::bind_runtime(m);
    optcore::bind_math(m);
    optcore::bind_schedules(m);
    optcore::bind_rules(m);
    optcore::bind_ops(m);
    optcore::bind_stepper(m);
}
