// Saving and loading an optimizer: all is checked and converted before anything is changed.
#include <cstring>

#include "formats.h"
#include "optimizer.h"

namespace optcore::capi {
namespace {

[[noreturn]] void bad(const std::string &where, const std::string &expected, const std::string &got,
                      const std::string &mend) {
    fail(OPTCORE_BAD_STATE, "state/" + where, expected, got, mend);
}

constexpr const char *kSameTensors = "make the optimizer over the same tensors";

SavedArray saved(const Slot &slot) {
    SavedArray array;
    array.name = slot.name;
    array.dtype = slot.dtype;
    array.shape = slot.shape;
    array.count = slot.count;
    array.strides.resize(slot.shape.size());
    int64_t step = 1;
    for (size_t k = slot.shape.size(); k-- > 0; step *= slot.shape[k])
        array.strides[k] = step;
    const auto item = int64_t(optcore_dtype_bytes(slot.dtype));
    array.data.resize(slot.bytes());
    const char *origin = static_cast<const char *>(slot.origin());
    each_element(slot.shape, slot.strides, [&](int64_t i, int64_t offset) {
        std::memcpy(array.data.data() + i * item, origin + offset * item, size_t(item));
    });
    return array;
}

/// What a slot will hold, in memory order, from an array of the same shape.
std::vector<unsigned char> converted(const SavedArray &from, const Slot &slot,
                                     const std::string &where) {
    Format was, is;
    const bool real = real_format(slot.dtype, &is), real_before = real_format(from.dtype, &was);
    if (real ? !real_before : from.dtype != slot.dtype)
        bad(where, real ? "a float array" : optcore_dtype_name(slot.dtype),
            optcore_dtype_name(from.dtype), "save it with the same state formats");
    if (from.shape != slot.shape)
        bad(where, "shape " + shown(Extents(slot.shape.begin(), slot.shape.end())),
            shown(Extents(from.shape.begin(), from.shape.end())), kSameTensors);
    std::vector<unsigned char> bytes(slot.bytes());
    const auto item = int64_t(optcore_dtype_bytes(slot.dtype));
    const int64_t reach =
        (static_cast<const char *>(slot.origin()) - static_cast<const char *>(slot.first)) / item;
    each_element(slot.shape, slot.strides, [&](int64_t i, int64_t offset) {
        if (real)
            put_value(bytes.data(), reach + offset, is, value_at(from.data.data(), i, was));
        else
            std::memcpy(bytes.data() + (reach + offset) * item, from.data.data() + i * item,
                        size_t(item));
    });
    return bytes;
}

const SavedArray *array_of(const SavedTensor &tensor, const std::string &name) {
    for (const SavedArray &array : tensor.arrays)
        if (array.name == name)
            return &array;
    return nullptr;
}

/// The saved tensor of that name; an error unless it has exactly these arrays.
const SavedTensor &tensor_of(const SavedState &state, const TensorInfo &info) {
    const SavedTensor *found = nullptr;
    for (const SavedTensor &tensor : state.tensors)
        if (tensor.name == info.name)
            found = &tensor;
    if (!found)
        bad("tensors", "one that is named \"" + info.name + "\"", "none", kSameTensors);
    if (found->group != info.group)
        bad(info.name + "/group", std::to_string(info.group), std::to_string(found->group),
            "make the optimizer with the same groups");
    if (found->steps == UINT64_MAX)
        bad(info.name + "/steps", "0 to 2**64 - 2", "2**64 - 1", "step numbers end there");
    for (const SavedArray &array : found->arrays)
        if (!info.slot(array.name.c_str()))
            bad(info.name, "no array \"" + array.name + "\"", "one",
                "make the optimizer with the same options");
    for (const Slot &slot : info.slots)
        if (!array_of(*found, slot.name))
            bad(info.name, "an array \"" + slot.name + "\"", "none",
                "make the optimizer with the same options");
    return *found;
}

/// Takes over the saved values of a group; schedules stay as they are.
void take(Values &values, const std::deque<SavedValue> &saved, const std::string &where) {
    for (const SavedValue &value : saved) {
        const int i = values.preset().find(value.name.c_str());
        if (i < 0)
            bad(where + value.name, "a value of " + std::string(values.preset().name),
                "one of another optimizer", "load it into one of the same kind");
        const bool scheduled = values[i].schedule != nullptr;
        if (value.scheduled && !scheduled)
            bad(where + value.name, "an optimizer with a schedule in its place", "a number",
                "schedules are not saved: set one");
        if (!value.scheduled)
            values.set(i, value.value);
    }
}

} // namespace

void Optimizer::save(SavedState &state) const {
    if (!started_)
        throw Failure(OPTCORE_WRONG_TIME,
                      "save: expected the state to have been made; take a step, "
                      "or call optcore_optimizer_start() first");
    state.rule = preset_.rule;
    state.step = step_;
    for (const GroupState &group : groups_) {
        state.groups.emplace_back();
        for (size_t i = 0; i < preset_.values.size(); ++i)
            state.groups.back().push_back({preset_.values[i].name, group.values[int(i)].value,
                                           group.values[int(i)].schedule != nullptr});
    }
    for (size_t i = 0; i < infos_.size(); ++i) {
        state.tensors.push_back({infos_[i].name, infos_[i].group, tensors_[i].steps});
        for (const Slot &slot : infos_[i].slots)
            state.tensors.back().arrays.push_back(saved(slot));
    }
}

void Optimizer::load(const SavedState &state) {
    if (!started_)
        throw Failure(OPTCORE_WRONG_TIME, "load: expected the state to have been made; call "
                                          "optcore_optimizer_start() first");
    if (state.format < 1 || state.format > OPTCORE_STATE_FORMAT)
        bad("format", "1 to " + std::to_string(OPTCORE_STATE_FORMAT), std::to_string(state.format),
            "load it with the newer optcore that saved it");
    if (state.rule != preset_.rule)
        bad("rule", "\"" + std::string(preset_.rule) + "\"", "\"" + state.rule + "\"",
            "load it into an optimizer of the same kind");
    if (state.groups.size() > groups_.size())
        bad("groups", std::to_string(groups_.size()), std::to_string(state.groups.size()),
            "make the optimizer with as many");
    if (state.tensors.size() != infos_.size())
        bad("tensors", std::to_string(infos_.size()), std::to_string(state.tensors.size()),
            kSameTensors);
    if (state.step == UINT64_MAX)
        bad("step", "0 to 2**64 - 2", "2**64 - 1", "step numbers end there");
    std::vector<Values> values;
    for (size_t g = 0; g < groups_.size(); ++g) {
        values.push_back(groups_[g].values);
        if (g < state.groups.size())
            take(values[g], state.groups[g], "groups/" + std::to_string(g) + "/");
    }
    try {
        check_groups(values);
    } catch (const Failure &failure) {
        throw Failure(OPTCORE_BAD_STATE, std::string("state/groups: ") + failure.what());
    }
    std::vector<std::vector<unsigned char>> loaded;
    std::vector<uint64_t> steps;
    for (const TensorInfo &info : infos_) {
        const SavedTensor &tensor = tensor_of(state, info);
        steps.push_back(tensor.steps);
        for (const Slot &slot : info.slots)
            loaded.push_back(
                converted(*array_of(tensor, slot.name), slot, info.name + "/" + slot.name));
    }

    // Nothing can fail any more.
    for (size_t g = 0; g < groups_.size(); ++g)
        groups_[g].values = std::move(values[g]);
    auto bytes = loaded.begin();
    for (size_t i = 0; i < infos_.size(); ++i) {
        tensors_[i].steps = steps[i];
        for (const Slot &slot : infos_[i].slots) {
            if (slot.bytes())
                std::memcpy(slot.first, bytes->data(), slot.bytes());
            ++bytes;
        }
    }
    step_ = state.step;
}

} // namespace optcore::capi
