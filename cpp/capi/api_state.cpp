// Saved state, read and built piece by piece.
#include <algorithm>
#include <cmath>

#include "arguments.h"
#include "saved.h"

using namespace optcore::capi;

namespace {

SavedState &opened_state(optcore_state *state) { return opened(state).state; }
const SavedState &opened_state(const optcore_state *state) {
    return opened(const_cast<optcore_state *>(state)).state;
}

constexpr int64_t kMostGroups = 1 << 20;

} // namespace

optcore_status optcore_state_create(optcore_state **state) noexcept {
    return guarded([&] {
        not_null(state, "state");
        hand_out(std::make_unique<optcore_state>(), state);
    });
}

optcore_status optcore_state_destroy(optcore_state *state) noexcept {
    return guarded([&] { destroyed(state); });
}

optcore_status optcore_state_get_header(const optcore_state *state,
                                        optcore_state_header *header) noexcept {
    return guarded([&] {
        check_output(header, "header");
        const SavedState &saved = opened_state(state);
        optcore_state_header out = {};
        out.rule = saved.rule.c_str();
        out.format = saved.format;
        out.step = saved.step;
        out.groups = int64_t(saved.groups.size());
        out.tensors = int64_t(saved.tensors.size());
        give(header, out);
    });
}

optcore_status optcore_state_set_header(optcore_state *state,
                                        const optcore_state_header *header) noexcept {
    return guarded([&] {
        SavedState &saved = opened_state(state);
        const auto given = taken(header, OPTCORE_UP_TO(optcore_state_header, step), "header");
        not_null(given.rule, "header.rule");
        saved.rule = given.rule;
        saved.format = given.format;
        saved.step = given.step;
    });
}

optcore_status optcore_state_value_count(const optcore_state *state, int64_t group,
                                         int64_t *count) noexcept {
    return guarded([&] {
        not_null(count, "count");
        const SavedState &saved = opened_state(state);
        check_index(group, int64_t(saved.groups.size()), "group");
        *count = int64_t(saved.groups[size_t(group)].size());
    });
}

optcore_status optcore_state_get_value(const optcore_state *state, int64_t group, int64_t index,
                                       optcore_state_value *value) noexcept {
    return guarded([&] {
        check_output(value, "value");
        const SavedState &saved = opened_state(state);
        check_index(group, int64_t(saved.groups.size()), "group");
        check_index(index, int64_t(saved.groups[size_t(group)].size()), "index");
        const SavedValue &found = saved.groups[size_t(group)][size_t(index)];
        optcore_state_value out = {};
        out.name = found.name.c_str();
        out.value = found.value;
        out.scheduled = found.scheduled;
        give(value, out);
    });
}

optcore_status optcore_state_add_value(optcore_state *state, int64_t group,
                                       const optcore_state_value *value) noexcept {
    return guarded([&] {
        SavedState &saved = opened_state(state);
        const auto given = taken(value, OPTCORE_UP_TO(optcore_state_value, value), "value");
        not_null(given.name, "value.name");
        check_index(group, kMostGroups, "group");
        SavedValue added{given.name, given.value, flag(given.scheduled, "value.scheduled")};
        if (size_t(group) >= saved.groups.size())
            saved.groups.resize(size_t(group) + 1);
        saved.groups[size_t(group)].push_back(std::move(added));
    });
}

optcore_status optcore_state_get_tensor(const optcore_state *state, int64_t index,
                                        optcore_state_tensor *tensor) noexcept {
    return guarded([&] {
        check_output(tensor, "tensor");
        const SavedState &saved = opened_state(state);
        check_index(index, int64_t(saved.tensors.size()), "index");
        const SavedTensor &found = saved.tensors[size_t(index)];
        optcore_state_tensor out = {};
        out.name = found.name.c_str();
        out.group = found.group;
        out.steps = found.steps;
        out.arrays = int64_t(found.arrays.size());
        give(tensor, out);
    });
}

optcore_status optcore_state_add_tensor(optcore_state *state, const optcore_state_tensor *tensor,
                                        int64_t *index) noexcept {
    return guarded([&] {
        SavedState &saved = opened_state(state);
        const auto given = taken(tensor, OPTCORE_UP_TO(optcore_state_tensor, steps), "tensor");
        not_null(given.name, "tensor.name");
        check_index(given.group, kMostGroups, "tensor.group");
        for (const SavedTensor &other : saved.tensors)
            if (other.name == given.name)
                fail(OPTCORE_BAD_VALUE, "tensor.name", "a name of its own",
                     "\"" + other.name + "\" twice", "state is kept by name");
        saved.tensors.push_back({given.name, given.group, given.steps});
        if (index)
            *index = int64_t(saved.tensors.size()) - 1;
    });
}

optcore_status optcore_state_get_array(const optcore_state *state, int64_t tensor, int64_t index,
                                       optcore_array *array) noexcept {
    return guarded([&] {
        check_output(array, "array");
        const SavedState &saved = opened_state(state);
        check_index(tensor, int64_t(saved.tensors.size()), "tensor");
        const auto &arrays = saved.tensors[size_t(tensor)].arrays;
        check_index(index, int64_t(arrays.size()), "index");
        give(array, arrays[size_t(index)].view());
    });
}

optcore_status optcore_state_add_array(optcore_state *state, int64_t tensor,
                                       const optcore_array *array) noexcept {
    return guarded([&] {
        SavedState &saved = opened_state(state);
        check_index(tensor, int64_t(saved.tensors.size()), "tensor");
        SavedArray added = copied(array);
        auto &arrays = saved.tensors[size_t(tensor)].arrays;
        for (const SavedArray &other : arrays)
            if (other.name == added.name)
                fail(OPTCORE_BAD_VALUE, "array.name", "a name of its own",
                     "\"" + other.name + "\" twice", "a tensor has one array of a name");
        arrays.push_back(std::move(added));
    });
}
