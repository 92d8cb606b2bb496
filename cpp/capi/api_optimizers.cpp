// Optimizers.
#include <limits>

#include "../engine/cpu.h"
#include "arguments.h"
#include "optimizer.h"

using namespace optcore;
using namespace optcore::capi;

namespace {

using Busy = Optimizer::Busy;

Optimizer &opened_optimizer(optcore_optimizer *optimizer) { return opened(optimizer).optimizer; }
const Optimizer &opened_optimizer(const optcore_optimizer *optimizer) {
    return opened(const_cast<optcore_optimizer *>(optimizer)).optimizer;
}

/// A step of either kind, and what came of it.
template <class Step>
optcore_status step_and_report(optcore_optimizer *optimizer, const optcore_step *step,
                               optcore_step_result *result, Step take) noexcept {
    optcore_step_result out = {};
    out.grad_norm = std::numeric_limits<double>::quiet_NaN();
    out.bad_tensor = out.bad_element = -1;
    const optcore_status status = guarded([&] {
        Optimizer &opt = opened_optimizer(optimizer);
        const auto given = taken(step, OPTCORE_UP_TO(optcore_step, data), "step");
        if (result)
            check_output(result, "result");
        const Busy busy(opt);
        take(opt, given, out);
    });
    if (result && (status == OPTCORE_OK || status == OPTCORE_NONFINITE))
        give(result, out);
    return status;
}

} // namespace

optcore_status optcore_optimizer_create(const char *name, optcore_optimizer **optimizer) noexcept {
    return guarded([&] {
        not_null(optimizer, "optimizer");
        guard_forks();
        kernels(); // an error now, not in the midst of a step, if OPTCORE_ISA names no level
        hand_out(std::make_unique<optcore_optimizer>(preset_named(name)), optimizer);
    });
}

optcore_status optcore_optimizer_destroy(optcore_optimizer *optimizer) noexcept {
    return guarded([&] { destroyed(optimizer); });
}

optcore_status optcore_optimizer_add_group(optcore_optimizer *optimizer, int64_t *group) noexcept {
    return guarded([&] {
        Optimizer &opt = opened_optimizer(optimizer);
        const Busy busy(opt);
        const int64_t index = opt.add_group();
        if (group)
            *group = index;
    });
}

optcore_status optcore_optimizer_set(optcore_optimizer *optimizer, int64_t group, const char *name,
                                     double value) noexcept {
    return guarded([&] {
        Optimizer &opt = opened_optimizer(optimizer);
        const Busy busy(opt);
        opt.set(group, name, value);
    });
}

optcore_status optcore_optimizer_set_schedule(optcore_optimizer *optimizer, int64_t group,
                                              const char *name,
                                              const optcore_schedule *schedule) noexcept {
    return guarded([&] {
        Optimizer &opt = opened_optimizer(optimizer);
        const Busy busy(opt);
        opt.set(group, name, opened(const_cast<optcore_schedule *>(schedule)).schedule);
    });
}

optcore_status optcore_optimizer_get(const optcore_optimizer *optimizer, int64_t group,
                                     const char *name, double *value) noexcept {
    return guarded([&] {
        not_null(value, "value");
        *value = opened_optimizer(optimizer).get(group, name);
    });
}

optcore_status optcore_optimizer_set_options(optcore_optimizer *optimizer,
                                             const optcore_options *options) noexcept {
    return guarded([&] {
        Optimizer &opt = opened_optimizer(optimizer);
        const Busy busy(opt);
        opt.set_options(read_options(options));
    });
}

optcore_status optcore_optimizer_set_state_dtype(optcore_optimizer *optimizer, int64_t group,
                                                 const char *slot, optcore_dtype dtype) noexcept {
    return guarded([&] {
        Optimizer &opt = opened_optimizer(optimizer);
        const Busy busy(opt);
        opt.set_state_dtype(group, slot, dtype);
    });
}

optcore_status optcore_optimizer_add(optcore_optimizer *optimizer, int64_t group,
                                     const optcore_tensor *tensor, int64_t *index) noexcept {
    return guarded([&] {
        Optimizer &opt = opened_optimizer(optimizer);
        const Busy busy(opt);
        const int64_t added = opt.add(group, tensor);
        if (index)
            *index = added;
    });
}

optcore_status optcore_optimizer_state_bytes(const optcore_optimizer *optimizer,
                                             size_t *bytes) noexcept {
    return guarded([&] {
        not_null(bytes, "bytes");
        *bytes = opened_optimizer(optimizer).state_bytes();
    });
}

optcore_status optcore_optimizer_start(optcore_optimizer *optimizer, void *memory,
                                       size_t bytes) noexcept {
    return guarded([&] {
        Optimizer &opt = opened_optimizer(optimizer);
        const Busy busy(opt);
        opt.start(memory, bytes);
    });
}

optcore_status optcore_optimizer_step(optcore_optimizer *optimizer, const optcore_step *step,
                                      optcore_step_result *result) noexcept {
    return step_and_report(optimizer, step, result,
                           [](Optimizer &opt, const optcore_step &given, optcore_step_result &out) {
                               opt.step(given, out);
                           });
}

optcore_status optcore_optimizer_update_hessian(optcore_optimizer *optimizer,
                                                const optcore_step *estimate,
                                                optcore_step_result *result) noexcept {
    return step_and_report(optimizer, estimate, result,
                           [](Optimizer &opt, const optcore_step &given, optcore_step_result &out) {
                               opt.update_hessian(given, out);
                           });
}

optcore_status optcore_optimizer_evaluated(const optcore_optimizer *optimizer, int64_t tensor,
                                           void *out, size_t bytes) noexcept {
    return guarded([&] { opened_optimizer(optimizer).evaluated(tensor, out, bytes); });
}

optcore_status optcore_optimizer_tensor_count(const optcore_optimizer *optimizer,
                                              int64_t *count) noexcept {
    return guarded([&] {
        not_null(count, "count");
        *count = opened_optimizer(optimizer).tensor_count();
    });
}

optcore_status optcore_optimizer_step_count(const optcore_optimizer *optimizer,
                                            uint64_t *steps) noexcept {
    return guarded([&] {
        not_null(steps, "steps");
        *steps = opened_optimizer(optimizer).steps();
    });
}

optcore_status optcore_optimizer_tensor_steps(const optcore_optimizer *optimizer, int64_t tensor,
                                              uint64_t *steps) noexcept {
    return guarded([&] {
        not_null(steps, "steps");
        *steps = opened_optimizer(optimizer).tensor_steps(tensor);
    });
}

optcore_status optcore_optimizer_slot_count(const optcore_optimizer *optimizer, int64_t tensor,
                                            int64_t *count) noexcept {
    return guarded([&] {
        not_null(count, "count");
        *count = int64_t(opened_optimizer(optimizer).tensor(tensor).slots.size());
    });
}

optcore_status optcore_optimizer_slot(const optcore_optimizer *optimizer, int64_t tensor,
                                      int64_t index, optcore_array *array) noexcept {
    return guarded([&] {
        check_output(array, "array");
        const TensorInfo &info = opened_optimizer(optimizer).tensor(tensor);
        check_index(index, int64_t(info.slots.size()), "index");
        const Slot &slot = info.slots[size_t(index)];
        static const int64_t none = 0;
        optcore_array out = {};
        out.name = slot.name.c_str();
        out.data = slot.origin();
        out.count = slot.count;
        out.dtype = slot.dtype;
        out.ndim = int32_t(slot.shape.size());
        out.shape = slot.shape.empty() ? &none : slot.shape.data();
        out.strides = slot.strides.empty() ? &none : slot.strides.data();
        give(array, out);
    });
}

optcore_status optcore_optimizer_save(optcore_optimizer *optimizer,
                                      optcore_state **state) noexcept {
    return guarded([&] {
        not_null(state, "state");
        Optimizer &opt = opened_optimizer(optimizer);
        const Busy busy(opt);
        auto handle = std::make_unique<optcore_state>();
        opt.save(handle->state);
        hand_out(std::move(handle), state);
    });
}

optcore_status optcore_optimizer_load(optcore_optimizer *optimizer,
                                      const optcore_state *state) noexcept {
    return guarded([&] {
        Optimizer &opt = opened_optimizer(optimizer);
        const SavedState &saved = opened(const_cast<optcore_state *>(state)).state;
        const Busy busy(opt);
        opt.load(saved);
    });
}
