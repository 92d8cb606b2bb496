// Gradients as they come in for one step, checked against their tensors.
#ifndef OPTCORE_CAPI_GRADIENTS_H
#define OPTCORE_CAPI_GRADIENTS_H

#include <deque>
#include <vector>

#include "../engine/overlap.h"
#include "tensors.h"

namespace optcore::capi {

/// What the engine's gradients point at; its memory stays for the next step.
struct GradientStore {
    std::deque<std::vector<Axis>> axes;
    std::deque<RowSet> rows;
    size_t rows_used = 0;

    RowSet &next_rows();
    void clear();
};

/// A gradient, and the memory that it lies in.
struct ReadGradient {
    Gradient gradient;
    uintptr_t low = 0, high = 0;
};

/// One of the tensor's own type and layout.
ReadGradient read_plain(void *data, const TensorInfo &tensor);

/// One that is described; `described` is the engine's view of the tensor, `group` that of its
/// group.
ReadGradient read_described(const optcore_gradient &given, const TensorInfo &tensor,
                            const Tensor &described, const Group &group, GradientStore &store);

} // namespace optcore::capi

#endif
