// One function per family; module.cpp calls them all.
#ifndef OPTCORE_BINDINGS_BINDINGS_H
#define OPTCORE_BINDINGS_BINDINGS_H

#include <pybind11/pybind11.h>

namespace optcore {

void bind_runtime(pybind11::module_ &m);   // ISA levels, threads, build facts
void bind_math(pybind11::module_ &m);      // exp, log, pow, ... that schedules and rules use
void bind_schedules(pybind11::module_ &m); // schedules
void bind_rules(pybind11::module_ &m);     // the catalogue of rules
void bind_ops(pybind11::module_ &m);       // one step on given buffers; norms
void bind_stepper(pybind11::module_ &m);   // what an Optimizer holds: trees, buffers, step numbers
void bind_vectors(pybind11::module_ &m);   // parameters as one vector

} // namespace optcore

#endif
