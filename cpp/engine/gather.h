#ifndef OPTCORE_ENGINE_GATHER_H
#define OPTCORE_ENGINE_GATHER_H

#include "tensor.h"

namespace optcore {

/// Writes elements [start, start + n) of a gradient, in the parameter's memory order, densely to
/// `out`, rounded once to `dtype`. Where it names rows, elements are those of the compact gradient.
void gather(const Gradient &grad, Dtype dtype, int64_t start, int64_t n, void *out) noexcept;

/// Writes zeros to those elements of a gradient, or of the values of its rows.
void clear(const Gradient &grad, int64_t start, int64_t n) noexcept;

} // namespace optcore

#endif
