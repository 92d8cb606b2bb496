// How an optimizer's state is placed, made, and described to the core.
#include <algorithm>
#include <cstring>

#include "../engine/placement.h"
#include "arguments.h"
#include "formats.h"
#include "optimizer.h"

namespace optcore::capi {

/// The arrays of state of all tensors, and where in the memory for them they go.
struct Optimizer::Plan {
    std::vector<TensorInfo> tensors;
    std::vector<size_t> offset; ///< of all slots, tensor by tensor
    size_t total = 0;

    /// With room to begin at an address that the placement is reckoned from.
    size_t bytes() const { return total ? total + kPlacementBase : 0; }
};

Optimizer::Plan Optimizer::plan() const {
    Plan plan;
    std::vector<SlotRequest> requests;
    plan.tensors = infos_;
    for (TensorInfo &tensor : plan.tensors) {
        tensor.rounding = rounding_of(tensor, options_.low_precision);
        const GroupState &group = groups_[size_t(tensor.group)];
        tensor.slots = plan_slots(tensor, group.values, group.formats, options_.average);
        const auto arrays = std::count_if(tensor.slots.begin(), tensor.slots.end(),
                                          [](const Slot &slot) { return !slot.scalar; });
        for (int k = 0; k < int(arrays); ++k) {
            const size_t item = optcore_dtype_bytes(tensor.slots[size_t(k)].dtype);
            const auto address = reinterpret_cast<uintptr_t>(tensor.first);
            requests.push_back(
                {tensor.slots[size_t(k)].bytes(), address - address % item, k, int(arrays)});
        }
    }
    const Placement placed = place_slots(requests);
    plan.total = (placed.total + 7) / 8 * 8;
    size_t next = 0;
    for (const TensorInfo &tensor : plan.tensors)
        for (const Slot &slot : tensor.slots) {
            plan.offset.push_back(slot.scalar ? plan.total : placed.offset[next++]);
            plan.total += slot.scalar ? sizeof(double) : 0;
        }
    return plan;
}

size_t Optimizer::state_bytes() const { return plan().bytes(); }

namespace {

/// Starts a slot from a number.
void fill(const Slot &slot, const TensorInfo &tensor, double start) {
    if (slot.dtype == OPTCORE_U8) {
        const Coded one = coded(float(start), slot.with_sign);
        std::memset(slot.first, one.code, size_t(slot.count));
        for (const Slot &scales : tensor.slots)
            for (int64_t i = 0; scales.scale_of == slot.name && i < scales.count; ++i)
                put_value(scales.first, i, Format::f32, double(one.scale));
        return;
    }
    Format format;
    if (real_format(slot.dtype, &format))
        for (int64_t i = 0; i < slot.count; ++i)
            put_value(slot.first, i, format, start);
}

/// Starts an array from the parameter that it lies like.
void mirror(void *first, Format format, const TensorInfo &tensor) {
    for (int64_t i = 0; i < tensor.layout.size; ++i)
        put_value(first, i, format, value_at(tensor.first, i, tensor.format));
}

void make_state(const TensorInfo &tensor, const Values &values) {
    for (const Slot &slot : tensor.slots) {
        std::memset(slot.first, 0, slot.bytes());
        const std::string &name = slot.name;
        Format format;
        if (name == "master" || name == "ema" || values.preset().mirrored(name.c_str())) {
            real_format(slot.dtype, &format);
            mirror(slot.first, format, tensor);
        }
    }
    // After all of them are zero, as 8-bit slots write to their scales.
    for (const Slot &slot : tensor.slots) {
        const double start = slot.scale_of.empty() ? values.start(slot.name.c_str()) : 0;
        if (start != 0)
            fill(slot, tensor, start);
    }
    if (tensor.copy)
        mirror(tensor.copy_first, tensor.copy_format, tensor);
}

} // namespace

/// What the core is told of a tensor whose state has its place.
void Optimizer::place(TensorInfo &info, Tensor &t, Buffers &b, MatrixShape &matrix) const {
    const RuleInfo &rule = *preset_.info;
    t.param = info.first;
    t.size = info.layout.size;
    t.dtype = info.dtype();
    t.format = info.format;
    t.group = int(info.group);
    t.steps = info.steps;
    t.path_hash = path_hash(info.name);
    b = {};
    b.param = t.param;
    b.param_format = info.format;
    b.rounding = info.rounding;
    int slots = 0, scalars = 0;
    for (const Slot &slot : info.slots) {
        if (slot.scalar) {
            t.scalar[scalars++] = static_cast<double *>(slot.first);
        } else if (slot.name == "master" || slot.name == "remainder") {
            b.kept = slot.first;
        } else if (slot.name == "ema") {
            b.average = slot.first;
        } else if (!slot.scale_of.empty()) {
            b.scale[slots - 1] = static_cast<float *>(slot.first);
        } else {
            t.slot[slots++] = slot.first;
            if (rule.factored || rule.rowwise)
                continue;
            b.slot[slots - 1] = slot.first;
            if (!real_format(slot.dtype, &b.slot_format[slots - 1]))
                b.slot_format[slots - 1] = slot.with_sign ? Format::signed_code8 : Format::code8;
            b.slots = slots;
        }
    }
    if (rule.factored) {
        t.factored = true;
        matrix = {};
        if (slots == 2)
            if (const char *expected = matrix_shape(info.layout, &matrix))
                fail(OPTCORE_BAD_LAYOUT, info.name, expected,
                     "strides in bytes " + shown(info.layout.strides),
                     "a rule with factored moments needs a C-contiguous tensor");
        t.matrix = &matrix;
    }
    if (rule.rowwise) {
        t.rowwise = true;
        t.width = row_width(info.layout, std::ptrdiff_t(bytes_of(info.format)));
        if (t.width < 0)
            fail(OPTCORE_BAD_LAYOUT, info.name,
                 "a C-contiguous tensor, as the rule's state is by rows",
                 "strides in bytes " + shown(info.layout.strides), "make it contiguous");
    }
    if (info.copy) {
        b.copy = info.copy_first;
        b.copy_format = info.copy_format;
    }
    t.plain = plain_loop(b, &t.loop);
    t.buffers = &b;
}

void Optimizer::start(void *memory, size_t bytes) {
    not_started("start");
    if (infos_.empty())
        throw Failure(OPTCORE_WRONG_TIME,
                      "start: expected tensors to have been added, but there are "
                      "none; call optcore_optimizer_add() first");
    std::vector<Values> values;
    for (const GroupState &group : groups_)
        values.push_back(group.values);
    check_groups(values);
    std::vector<Group> core_groups(groups_.size());
    for (size_t g = 0; g < groups_.size(); ++g) {
        values[g].tell(core_groups[g], step_); // checks what schedules give
        core_groups[g].variant = values[g].variant();
    }
    Plan plan = this->plan();
    if (memory && bytes < plan.bytes())
        fail(OPTCORE_OUT_OF_MEMORY, "bytes", std::to_string(plan.bytes()) + " or more",
             std::to_string(bytes), "ask optcore_optimizer_state_bytes()");
    decltype(own_memory_) own;
    if (!memory) {
        own.reset(static_cast<unsigned char *>(::operator new[](plan.bytes() + 1)));
        memory = own.get();
    }
    const auto begin = reinterpret_cast<uintptr_t>(memory);
    char *const base =
        static_cast<char *>(memory) + (kPlacementBase - begin % kPlacementBase) % kPlacementBase;

    Spans written;
    std::vector<std::string> names;
    const auto note = [&](const void *first, size_t size, const std::string &name) {
        const auto low = reinterpret_cast<uintptr_t>(first);
        written.add(low, low + size, names.size());
        names.push_back(name);
    };
    std::vector<Tensor> tensors(infos_.size());
    std::vector<Buffers> buffers(infos_.size());
    std::vector<MatrixShape> matrices(infos_.size());
    size_t next = 0;
    for (size_t i = 0; i < plan.tensors.size(); ++i) {
        TensorInfo &info = plan.tensors[i];
        note(info.first, size_t(info.layout.size * bytes_of(info.format)), info.name);
        if (info.copy)
            note(info.copy_first, size_t(info.layout.size) * 2, "the copy of " + info.name);
        for (Slot &slot : info.slots) {
            slot.first = base + plan.offset[next++];
            note(slot.first, slot.bytes(), slot.name + " of " + info.name);
        }
        place(info, tensors[i], buffers[i], matrices[i]);
    }
    written.each_crossing([&](size_t a, size_t b) {
        fail(OPTCORE_BAD_LAYOUT, names[a] + " and " + names[b], "memory of their own",
             "some that overlaps", "give each its own");
    });
    std::vector<std::unique_ptr<Values>> made;
    for (const Values &each : values)
        made.push_back(std::make_unique<Values>(each));

    // Nothing can fail any more.
    for (size_t g = 0; g < groups_.size(); ++g) {
        groups_[g].made = std::move(made[g]);
        groups_[g].variant = core_groups[g].variant;
    }
    for (const TensorInfo &info : plan.tensors)
        make_state(info, values[size_t(info.group)]);
    infos_ = std::move(plan.tensors);
    core_groups_ = std::move(core_groups);
    tensors_ = std::move(tensors);
    buffers_ = std::move(buffers);
    matrices_ = std::move(matrices);
    written_ = std::move(written);
    written_names_ = std::move(names);
    own_memory_ = std::move(own);
    started_ = true;
}

} // namespace optcore::capi
