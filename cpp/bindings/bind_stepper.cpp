#include <pybind11/stl.h>

#include "bindings.h"
#include "stepper.h"

namespace optcore {

void bind_stepper(py::module_ &m) {
    py::class_<Tree, std::shared_ptr<Tree>>(m, "Tree")
        .def(py::init<py::object, std::string>(), py::arg("tree"), py::arg("root"))
        .def_property_readonly("paths", &Tree::paths)
        .def_property_readonly("leaves", &Tree::leaves)
        .def_property_readonly("root", &Tree::root);

    py::class_<Stepper>(m, "Stepper")
        .def(py::init<const std::string &, std::vector<std::shared_ptr<Tree>>, bool>(),
             py::arg("rule"), py::arg("trees"), py::arg("grouped"))
        .def("set_variant", &Stepper::set_variant, py::arg("group"), py::arg("variant"),
             py::arg("decoupled"), py::arg("maximize"))
        .def("set_hyper", &Stepper::set_hyper, py::arg("group"), py::arg("name"), py::arg("value"))
        .def("get_hyper", &Stepper::get_hyper, py::arg("group"), py::arg("name"))
        .def("add", &Stepper::add, py::arg("group"), py::arg("leaf"), py::arg("slots"),
             py::arg("scalars"))
        .def("finish", &Stepper::finish)
        .def("hold", &Stepper::hold)
        .def("let_go", &Stepper::let_go)
        .def("step", &Stepper::step, py::arg("grads"))
        .def("bind", &Stepper::bind, py::arg("grads"))
        .def("set_steps", &Stepper::set_steps, py::arg("step"), py::arg("param_steps"))
        .def_property_readonly("param_steps", &Stepper::param_steps)
        .def_property_readonly("step_count", &Stepper::step_count)
        .def_property_readonly("grad_norm", &Stepper::grad_norm)
        .def(
            "set_options",
            [](Stepper &s, double clip_norm, double clip_value, int threads) {
                s.set_options({clip_norm, clip_value, threads});
            },
            py::arg("clip_norm"), py::arg("clip_value"), py::arg("threads"));
}

} // namespace optcore
