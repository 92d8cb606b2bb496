#include "presets.h"

#include <cstring>
#include <limits>

#include "names.h"

namespace optcore::capi {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A row of presets.def.
struct Row {
    enum What {
        preset,
        unavailable,
        value,
        constant,
        decided,
        off,
        starts_as,
        starts_at,
        mirror,
        shared
    };
    What what;
    const char *text[4];
    ValueKind kind;
    double number;
    bool fixed;
};

namespace kinds {
constexpr ValueKind number = ValueKind::number, on_off = ValueKind::on_off,
                    option = ValueKind::option;
}

#define OPTCORE_ROW(what, a, b, c, d, kind, number, fixed)                                         \
    {Row::what, {a, b, c, d}, kinds::kind, number, fixed},
#define OPTCORE_PRESET(name, title, rule, kind)                                                    \
    OPTCORE_ROW(preset, name, title, rule, kind, number, 0, false)
#define OPTCORE_UNAVAILABLE(name, title, rule, kind)                                               \
    OPTCORE_ROW(unavailable, name, title, rule, kind, number, 0, false)
#define OPTCORE_VALUE(name, kind, initial, fixed)                                                  \
    OPTCORE_ROW(value, name, nullptr, nullptr, nullptr, kind, initial, fixed)
#define OPTCORE_CONSTANT(name, amount)                                                             \
    OPTCORE_ROW(constant, name, nullptr, nullptr, nullptr, number, amount, false)
#define OPTCORE_DECIDED_BY(name)                                                                   \
    OPTCORE_ROW(decided, name, nullptr, nullptr, nullptr, number, 0, false)
#define OPTCORE_ALWAYS_OFF() OPTCORE_ROW(off, nullptr, nullptr, nullptr, nullptr, number, 0, false)
#define OPTCORE_STARTS_AS(slot, value)                                                             \
    OPTCORE_ROW(starts_as, slot, value, nullptr, nullptr, number, 0, false)
#define OPTCORE_STARTS_AT(slot, start)                                                             \
    OPTCORE_ROW(starts_at, slot, nullptr, nullptr, nullptr, number, start, false)
#define OPTCORE_MIRROR(slot) OPTCORE_ROW(mirror, slot, nullptr, nullptr, nullptr, number, 0, false)
#define OPTCORE_SHARED(name) OPTCORE_ROW(shared, name, nullptr, nullptr, nullptr, number, 0, false)

const Row kRows[] = {
#include "presets.def"
};

CoreSwitch core_switch(const char *name) {
    const char *const names[] = {"decoupled_weight_decay", "maximize", "cautious",
                                 "cautious_weight_decay"};
    for (int i = 0; i < 4; ++i)
        if (!std::strcmp(name, names[i]))
            return static_cast<CoreSwitch>(i + 1);
    return CoreSwitch::none;
}

int hyper_named(const RuleInfo &info, const char *name) {
    for (int i = 0; i < info.hypers_in_all(); ++i)
        if (!std::strcmp(name, info.hyper(i).name))
            return i;
    return -1;
}

void add(Preset &p, const Row &row) {
    const char *name = row.text[0];
    switch (row.what) {
    case Row::value:
        p.values.push_back({name, row.kind, row.number, row.fixed,
                            row.kind == ValueKind::option ? -1 : hyper_named(*p.info, name),
                            core_switch(name)});
        break;
    case Row::constant: p.constants.emplace_back(hyper_named(*p.info, name), row.number); break;
    case Row::decided: p.decided_by.push_back(name); break;
    case Row::off: p.decided_by.push_back(nullptr); break;
    case Row::starts_as: p.starts.push_back({name, row.text[1], 0}); break;
    case Row::starts_at: p.starts.push_back({name, nullptr, row.number}); break;
    case Row::mirror: p.mirrors.push_back(name); break;
    case Row::shared: p.shared.push_back(name); break;
    case Row::preset:
    case Row::unavailable: break;
    }
}

std::vector<Preset> read_rows() {
    std::vector<Preset> all;
    for (const Row &row : kRows) {
        if (row.what != Row::preset && row.what != Row::unavailable) {
            add(all.back(), row);
            continue;
        }
        all.push_back(
            {row.text[0], row.text[1], row.text[2], row.text[3], row.what == Row::preset});
        if (all.back().available)
            all.back().info = find_rule(row.text[2], &all.back().id);
    }
    return all;
}

} // namespace

int Preset::find(const char *value) const {
    for (size_t i = 0; i < values.size(); ++i)
        if (!std::strcmp(value, values[i].name))
            return int(i);
    return -1;
}

bool Preset::mirrored(const char *slot) const {
    for (const char *each : mirrors)
        if (!std::strcmp(each, slot))
            return true;
    return false;
}

const std::vector<Preset> &presets() {
    static const std::vector<Preset> all = read_rows();
    return all;
}

const Preset &preset_named(const char *name) {
    not_null(name, "name");
    const std::string wanted = plain(name);
    std::vector<std::string> known;
    for (const Preset &each : presets()) {
        if (plain(each.name) == wanted || plain(each.title) == wanted)
            return each;
        known.push_back(each.name);
    }
    unknown_name("name", "an optimizer", name, known);
}

} // namespace optcore::capi
