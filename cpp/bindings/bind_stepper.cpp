#include <pybind11/stl.h>

#include <cmath>

#include "bindings.h"
#include "stepper.h"
#include "tensor_watch.h"

namespace optcore {
namespace {

Rounding rounding_named(const std::string &name) {
    if (name == "stochastic")
        return Rounding::stochastic;
    if (name == "master")
        return Rounding::master;
    return name == "split" ? Rounding::split : Rounding::nearest;
}

TensorWatch *watch_in(PyObject *self) {
    const auto held = reinterpret_cast<py::detail::instance *>(self)->get_value_and_holder();
    return held.holder_constructed() ? held.value_ptr<TensorWatch>() : nullptr;
}

/// Tells Python's garbage collector what a watch holds.
void collect_watches(PyHeapTypeObject *heap_type) {
    PyTypeObject &type = heap_type->ht_type;
    type.tp_flags |= Py_TPFLAGS_HAVE_GC;
    type.tp_traverse = [](PyObject *self, visitproc visit, void *arg) {
        Py_VISIT(Py_TYPE(self));
        const TensorWatch *watch = watch_in(self);
        return watch ? watch->traverse(visit, arg) : 0;
    };
    type.tp_clear = [](PyObject *self) {
        if (TensorWatch *watch = watch_in(self))
            watch->clear();
        return 0;
    };
}

} // namespace

void bind_stepper(py::module_ &m) {
    py::class_<Tree, std::shared_ptr<Tree>>(m, "Tree")
        .def(py::init<py::object, std::string>(), py::arg("tree"), py::arg("root"))
        .def_property_readonly("paths", &Tree::paths)
        .def_property_readonly("leaves", &Tree::leaves)
        .def_property_readonly("root", &Tree::root);

    py::class_<Stepper>(m, "Stepper")
        .def(py::init<const std::string &, std::vector<std::shared_ptr<Tree>>, bool, std::string>(),
             py::arg("rule"), py::arg("trees"), py::arg("grouped"), py::arg("gradients") = "grads")
        .def("set_variant", &Stepper::set_variant, py::arg("group"), py::arg("variant"),
             py::arg("decoupled"), py::arg("maximize"), py::arg("mask_update"),
             py::arg("mask_decay"))
        .def("set_hyper", &Stepper::set_hyper, py::arg("group"), py::arg("name"), py::arg("value"))
        .def("get_hyper", &Stepper::get_hyper, py::arg("group"), py::arg("name"))
        .def(
            "add",
            [](Stepper &s, size_t group, size_t leaf, const std::vector<py::object> &slots,
               const std::vector<py::object> &scalars, const std::string &rounding, py::object kept,
               py::object average, py::object copy) {
                s.add(group, leaf, slots, scalars, {rounding_named(rounding), kept, average, copy});
            },
            py::arg("group"), py::arg("leaf"), py::arg("slots"), py::arg("scalars"),
            py::arg("rounding"), py::arg("kept"), py::arg("average"), py::arg("copy"))
        .def("finish", &Stepper::finish)
        .def("hold", &Stepper::hold)
        .def("let_go", &Stepper::let_go)
        .def("step_call", &step_call)
        .def("refuse_steps", &Stepper::refuse_steps, py::arg("why"))
        .def("bind", &Stepper::bind, py::arg("grads"))
        .def("set_counter", &Stepper::set_counter, py::arg("tensor"), py::arg("counter"))
        .def("set_steps", &Stepper::set_steps, py::arg("step"), py::arg("param_steps"))
        .def_property_readonly("param_steps", &Stepper::param_steps)
        .def_property_readonly("step_count", &Stepper::step_count)
        .def_property_readonly("grad_norm", [](const Stepper &s) { return s.result().norm; })
        .def_property_readonly("nonfinite",
                               [](const Stepper &s) {
                                   const Nonfinite &n = s.result().nonfinite;
                                   return py::make_tuple(n.tensor, n.element);
                               })
        .def_property_readonly("stats",
                               [](const Stepper &s) {
                                   const double scale = s.options().grad_scale;
                                   py::list all; // √Σg² unscaled, Σ(θ'−θ)², Σθ², max |θ'−θ|
                                   for (const TensorStats &t : s.stats())
                                       all.append(py::make_tuple(std::sqrt(t.grad_squares) / scale,
                                                                 t.update_squares, t.param_squares,
                                                                 t.largest_update));
                                   return all;
                               })
        .def("set_average", &Stepper::set_average, py::arg("keep"))
        .def(
            "set_options",
            [](Stepper &s, double clip_norm, double clip_value, int threads, bool refuse_nonfinite,
               bool zero_grads, bool stats, uint64_t seed) {
                StepOptions options;
                options.clip_norm = clip_norm;
                options.clip_value = clip_value;
                options.threads = threads;
                options.refuse_nonfinite = refuse_nonfinite;
                options.zero_grads = zero_grads;
                options.stats = stats;
                options.seed = seed;
                s.set_options(options);
            },
            py::kw_only(), py::arg("clip_norm"), py::arg("clip_value"), py::arg("threads"),
            py::arg("refuse_nonfinite"), py::arg("zero_grads"), py::arg("stats"), py::arg("seed"));

    py::class_<TensorWatch>(m, "TensorWatch", py::custom_type_setup(&collect_watches))
        .def(py::init<py::object, py::object, py::tuple>(), py::arg("stepper"), py::arg("api"),
             py::arg("types"))
        .def("add", &TensorWatch::add, py::arg("param"), py::arg("group"), py::arg("state"))
        .def("step", &TensorWatch::step, py::arg("groups"), py::arg("state"),
             py::arg("grad_scale"));
}

} // namespace optcore
