// The catalogue of optimizers.
#include "arguments.h"
#include "presets.h"

using namespace optcore::capi;

namespace {

void describe(const Preset &preset, optcore_rule_info *info) {
    optcore_rule_info out = {};
    out.name = preset.name;
    out.title = preset.title;
    out.rule = preset.rule;
    out.kind = preset.kind;
    out.values = int64_t(preset.values.size());
    out.available = preset.available;
    out.maskable = preset.available && preset.info->maskable;
    give(info, out);
}

} // namespace

int64_t optcore_rule_count(void) noexcept {
    int64_t count = 0;
    guarded([&] { count = int64_t(presets().size()); });
    return count;
}

optcore_status optcore_rule_at(int64_t index, optcore_rule_info *info) noexcept {
    return guarded([&] {
        check_output(info, "info");
        check_index(index, int64_t(presets().size()), "index");
        describe(presets()[size_t(index)], info);
    });
}

optcore_status optcore_rule_find(const char *name, optcore_rule_info *info) noexcept {
    return guarded([&] {
        check_output(info, "info");
        describe(preset_named(name), info);
    });
}

optcore_status optcore_rule_value(const char *name, int64_t index,
                                  optcore_value_info *info) noexcept {
    return guarded([&] {
        check_output(info, "info");
        const Preset &preset = preset_named(name);
        check_index(index, int64_t(preset.values.size()), "index");
        const PresetValue &value = preset.values[size_t(index)];
        optcore_value_info out = {};
        out.name = value.name;
        out.initial = value.initial;
        out.kind = int32_t(value.kind);
        out.fixed = value.fixed;
        give(info, out);
    });
}
