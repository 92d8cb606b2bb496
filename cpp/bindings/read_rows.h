// The leaf of a gradient tree that names rows of its parameter: optcore.Rows.
#ifndef OPTCORE_BINDINGS_READ_ROWS_H
#define OPTCORE_BINDINGS_READ_ROWS_H

#include "arrays.h"

namespace optcore {

/// Whether a leaf is an optcore.Rows.
bool is_rows(PyObject *grad);

/// Elements of one row of a parameter; a ValueError where rows are not dense blocks in order.
int64_t row_width(const Param &param, const std::string &why);

/// Checks named rows against their parameter, and sorts them. `values` receives the array of
/// values, `low` and `high` the addresses between which it lies.
Gradient read_rows(PyObject *rows, const Param &param, const Tensor &tensor, const Group &group,
                   LazyName name, GradientStore &store, bool zeroed, py::object *values,
                   uintptr_t *low, uintptr_t *high);

} // namespace optcore

#endif
