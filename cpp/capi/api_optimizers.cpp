// Optimizers.
#include <limits>

#include "arguments.h"
#include "names.h"
#include "optimizer.h"

using namespace optcore;
using namespace optcore::capi;

namespace {

/// A step of either kind, and what came of it.
template <class Step>
optcore_status step_and_report(optcore_optimizer *optimizer, const optcore_step *step,
                               optcore_step_result *result, Step take) noexcept {
    optcore_step_result out = {};
    out.grad_norm = std::numeric_limits<double>::quiet_NaN();
    out.bad_tensor = out.bad_element = -1;
    const optcore_status status = guarded([&] {
        const Use use(optimizer);
        const auto given = taken(step, OPTCORE_UP_TO(optcore_step, data), "step");
        if (result)
            check_output(result, "result");
        take(use->optimizer, given, out);
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
        checked_kernels(); // an error now, not in the midst of a step
        hand_out(std::make_unique<optcore_optimizer>(preset_named(name)), optimizer);
    });
}

optcore_status optcore_optimizer_destroy(optcore_optimizer *optimizer) noexcept {
    return guarded([&] { destroyed(optimizer); });
}

optcore_status optcore_optimizer_add_group(optcore_optimizer *optimizer, int64_t *group) noexcept {
    return guarded([&] {
        const Use use(optimizer);
        const int64_t index = use->optimizer.add_group();
        if (group)
            *group = index;
    });
}

optcore_status optcore_optimizer_set(optcore_optimizer *optimizer, int64_t group, const char *name,
                                     double value) noexcept {
    return guarded([&] {
        const Use use(optimizer);
        use->optimizer.set(group, {{name, {value, nullptr}}});
    });
}

optcore_status optcore_optimizer_set_schedule(optcore_optimizer *optimizer, int64_t group,
                                              const char *name,
                                              const optcore_schedule *schedule) noexcept {
    return guarded([&] {
        const Use use(optimizer);
        use->optimizer.set(group, {{name, {0, pointed_at(schedule)}}});
    });
}

optcore_status optcore_optimizer_set_values(optcore_optimizer *optimizer, int64_t group,
                                            const optcore_value *values, int64_t count) noexcept {
    return guarded([&] {
        const Use use(optimizer);
        check_count(count, values, "values");
        std::vector<NamedSource> given;
        for (int64_t i = 0; i < count; ++i) {
            const auto value = item(values, i, OPTCORE_UP_TO(optcore_value, number), "values");
            if (value.schedule && value.number != 0)
                fail(OPTCORE_BAD_VALUE, "values[" + std::to_string(i) + "]",
                     "a number or a schedule", "both", "leave one at zero");
            given.push_back({value.name, {value.number, {}}});
            if (value.schedule)
                given.back().source.schedule = pointed_at(value.schedule);
        }
        use->optimizer.set(group, given);
    });
}

optcore_status optcore_optimizer_get(const optcore_optimizer *optimizer, int64_t group,
                                     const char *name, double *value) noexcept {
    return guarded([&] {
        not_null(value, "value");
        *value = Use(optimizer)->optimizer.get(group, name);
    });
}

optcore_status optcore_optimizer_set_options(optcore_optimizer *optimizer,
                                             const optcore_options *options) noexcept {
    return guarded([&] {
        const Use use(optimizer);
        use->optimizer.set_options(read_options(options));
    });
}

optcore_status optcore_optimizer_set_state_dtype(optcore_optimizer *optimizer, int64_t group,
                                                 const char *slot, optcore_dtype dtype) noexcept {
    return guarded([&] {
        const Use use(optimizer);
        use->optimizer.set_state_dtype(group, slot, dtype);
    });
}

optcore_status optcore_optimizer_add(optcore_optimizer *optimizer, int64_t group,
                                     const optcore_tensor *tensor, int64_t *index) noexcept {
    return guarded([&] {
        const Use use(optimizer);
        const int64_t added = use->optimizer.add(group, tensor);
        if (index)
            *index = added;
    });
}

optcore_status optcore_optimizer_state_bytes(const optcore_optimizer *optimizer,
                                             size_t *bytes) noexcept {
    return guarded([&] {
        not_null(bytes, "bytes");
        *bytes = Use(optimizer)->optimizer.state_bytes();
    });
}

optcore_status optcore_optimizer_start(optcore_optimizer *optimizer, void *memory,
                                       size_t bytes) noexcept {
    return guarded([&] {
        const Use use(optimizer);
        use->optimizer.start(memory, bytes);
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
    return guarded([&] { Use(optimizer)->optimizer.evaluated(tensor, out, bytes); });
}

optcore_status optcore_optimizer_tensor_count(const optcore_optimizer *optimizer,
                                              int64_t *count) noexcept {
    return guarded([&] {
        not_null(count, "count");
        *count = Use(optimizer)->optimizer.tensor_count();
    });
}

optcore_status optcore_optimizer_step_count(const optcore_optimizer *optimizer,
                                            uint64_t *steps) noexcept {
    return guarded([&] {
        not_null(steps, "steps");
        *steps = Use(optimizer)->optimizer.steps();
    });
}

optcore_status optcore_optimizer_tensor_steps(const optcore_optimizer *optimizer, int64_t tensor,
                                              uint64_t *steps) noexcept {
    return guarded([&] {
        not_null(steps, "steps");
        *steps = Use(optimizer)->optimizer.tensor_steps(tensor);
    });
}

optcore_status optcore_optimizer_slot_count(const optcore_optimizer *optimizer, int64_t tensor,
                                            int64_t *count) noexcept {
    return guarded([&] {
        not_null(count, "count");
        *count = int64_t(Use(optimizer)->optimizer.tensor(tensor).slots.size());
    });
}

optcore_status optcore_optimizer_slot(const optcore_optimizer *optimizer, int64_t tensor,
                                      int64_t index, optcore_array *array) noexcept {
    return guarded([&] {
        check_output(array, "array");
        const Use use(optimizer);
        const TensorInfo &info = use->optimizer.tensor(tensor);
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

optcore_status optcore_optimizer_save(const optcore_optimizer *optimizer,
                                      optcore_state **state) noexcept {
    return guarded([&] {
        not_null(state, "state");
        const Use use(optimizer);
        auto handle = std::make_unique<optcore_state>();
        use->optimizer.save(handle->state);
        hand_out(std::move(handle), state);
    });
}

optcore_status optcore_optimizer_load(optcore_optimizer *optimizer,
                                      const optcore_state *state) noexcept {
    return guarded([&] {
        const Use use(optimizer);
        const Use from(state);
        use->optimizer.load(from->state);
    });
}
