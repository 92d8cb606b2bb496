// The elementary functions, so that the reference computes its scalars with the very same bits.
#include "bindings.h"
#include "engine/elementary.h"

namespace py = pybind11;

void optcore::bind_math(py::module_ &m) {
    m.def("math_exp", &math::exp, py::arg("x"), "e to the x");
    m.def("math_log", &math::log, py::arg("x"), "natural logarithm of x");
    m.def("math_pow", &math::pow, py::arg("x"), py::arg("y"), "x to the y");
    m.def("math_tanh", &math::tanh, py::arg("x"), "hyperbolic tangent of x");
    m.def("math_cos", &math::cos, py::arg("x"), "cosine of x in radians");
    m.def("math_cos_pi", &math::cos_pi, py::arg("x"), "cosine of pi times x");
    m.def("math_power", &math::power, py::arg("base"), py::arg("n"), "base to the whole number n");
    m.def("math_one_minus_power", &math::one_minus_power, py::arg("base"), py::arg("n"),
          "1 - base**n without cancellation, for base in [0, 1]");
}
