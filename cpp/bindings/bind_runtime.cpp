#include <pybind11/stl.h>

#include "bindings.h"
#include "engine/cpu.h"
#include "engine/threads.h"

namespace py = pybind11;

namespace optcore {
namespace {

const char *compiler() {
#if defined(__clang__)
    return "Clang " __clang_version__;
#elif defined(__GNUC__)
    return "GCC " __VERSION__;
#elif defined(_MSC_VER)
    return "MSVC";
#else
    return "unknown";
#endif
}

} // namespace

void bind_runtime(py::module_ &m) {
    m.attr("__version__") = OPTCORE_VERSION;
    m.attr("compiler") = compiler();
    m.attr("openmp") = openmp_compiled();
    m.def("isa", [] { return std::string(kernels().name); });
    m.def("compiled_isas", &compiled_isas);
    m.def("available_isas", &available_isas);
    m.def("use_isa", &use_isa, py::arg("name"));
    m.def("get_num_threads", &num_threads);
    m.def(
        "set_num_threads",
        [](int threads) {
            if (threads < 0)
                throw py::value_error("threads: expected 1 or more, or 0 for the default, got " +
                                      std::to_string(threads) + "; pass e.g. 2");
            set_num_threads(threads);
        },
        py::arg("threads"));
    m.def("in_forked_child", &in_forked_child);
}

} // namespace optcore
