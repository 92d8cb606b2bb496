// The leaf of a gradient tree that names rows of its parameter: optcore.Rows.
#ifndef OPTCORE_BINDINGS_READ_ROWS_H
#define OPTCORE_BINDINGS_READ_ROWS_H

#include "arrays.h"

namespace optcore {

/// Why a rule takes no rows, and what to do then.
constexpr const char *kWholeTensors = "the rule looks at whole tensors";
constexpr const char *kScatter =
    "scatter them into an array of zeros, or take a rule that is elementwise";

/// Whether a leaf is an optcore.Rows.
bool is_rows(PyObject *grad);

/// A TypeError for rows where only an array will do, and the reason.
[[noreturn]] void refuse_rows(const std::string &name, const std::string &why,
                              const std::string &mend);

/// Elements of one row of a parameter; a ValueError where rows are not dense blocks in order.
int64_t row_width(const Param &param, const std::string &why);

/// Checks named rows against their parameter, and sorts them. `values` receives the array of
/// values, `low` and `high` the addresses between which it lies.
Gradient read_rows(PyObject *rows, const Param &param, const Tensor &tensor, const Group &group,
                   LazyName name, GradientStore &store, bool zeroed, py::object *values,
                   uintptr_t *low, uintptr_t *high);

} // namespace optcore

#endif
