// Dense vectors of float32 or float64: products and sums of whole vectors, over threads. Which
// thread does which block changes no bits.
#ifndef OPTCORE_ENGINE_VECTORS_H
#define OPTCORE_ENGINE_VECTORS_H

#include <cstdint>

#include "../kernels/table.h"

namespace optcore {

/// Σxy in double: sums of fixed blocks, added block by block.
double dot(Dtype dtype, const void *x, const void *y, int64_t n, int threads);

/// y ← y + a·x, element by element, a rounded once to the type of the vectors. They may not
/// overlap.
void axpy(Dtype dtype, double a, const void *x, void *y, int64_t n, int threads);

/// x ← a·x, a rounded once.
void scale(Dtype dtype, double a, void *x, int64_t n, int threads);

} // namespace optcore

#endif
