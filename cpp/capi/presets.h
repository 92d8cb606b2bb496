// The optimizer classes as data: presets.def is written from the Python classes, which are where a
// hyperparameter and its default are defined (python/optcore/presets.py).
#ifndef OPTCORE_CAPI_PRESETS_H
#define OPTCORE_CAPI_PRESETS_H

#include <vector>

#include "../rules/registry.h"

namespace optcore::capi {

enum class ValueKind { number, on_off, option };

/// What a value tells the core beside its rule's hyperparameters.
enum class CoreSwitch { none, decoupled, maximize, mask_update, mask_decay };

/// A named value of an optimizer.
struct PresetValue {
    const char *name;
    ValueKind kind;
    double initial;
    bool fixed;
    int hyper; ///< which hyperparameter of the rule it is; −1: none
    CoreSwitch core;
};

/// What a state array starts from: a number, or what a value is.
struct Start {
    const char *slot, *value;
    double number;
};

struct Preset {
    const char *name, *title, *rule, *kind;
    bool available;
    RuleId id = {};
    const RuleInfo *info = nullptr;
    std::vector<PresetValue> values = {};
    std::vector<std::pair<int, double>> constants = {}; ///< hyperparameters that are no values
    std::vector<const char *> decided_by = {};          ///< by option of the rule; null: always off
    std::vector<Start> starts = {};
    std::vector<const char *> mirrors = {}; ///< state that starts as a copy of the parameter
    std::vector<const char *> shared = {};  ///< values that have to be the same in all groups

    /// The place of a value; −1 if there is none of that name.
    int find(const char *value) const;
    bool mirrored(const char *slot) const;
};

const std::vector<Preset> &presets();

/// The preset of a name; an error that lists the near ones.
const Preset &preset_named(const char *name);

} // namespace optcore::capi

#endif
