#ifndef OPTCORE_ENGINE_NORM_H
#define OPTCORE_ENGINE_NORM_H

#include <vector>

#include "tensor.h"

namespace optcore {

/// √Σg² over all gradients: float64 sums of fixed blocks, added block by block and tensor by
/// tensor in order, so that the bits depend on the tensors alone. `sums` is scratch memory.
double global_norm(const Tensor *tensors, int64_t count, int threads, std::vector<double> &sums);

/// torch's factor: min(1, limit / (norm + 1e-6)); NaN for a NaN norm.
double clip_factor(double norm, double limit);

/// Where a gradient stops being finite.
struct Nonfinite {
    int64_t tensor = -1, element = -1; ///< in memory order; -1: nowhere
};

/// The first element of all gradients that is not finite, in its tensor's compute type and times
/// `factor`.
Nonfinite first_nonfinite(const Tensor *tensors, int64_t count, double factor);

} // namespace optcore

#endif
