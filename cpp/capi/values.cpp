#include "values.h"

#include <cmath>
#include <cstring>

#include "errors.h"
#include "names.h"

namespace optcore::capi {

Values::Values(const Preset &preset) : preset_(&preset) {
    for (const PresetValue &value : preset.values)
        sources_.push_back({value.initial, nullptr});
}

int Values::index(const char *name) const {
    not_null(name, "name");
    const int i = preset_->find(name);
    if (i >= 0)
        return i;
    std::vector<std::string> known;
    for (const PresetValue &value : preset_->values)
        known.push_back(value.name);
    unknown_name("name", std::string("a value of ") + preset_->name, name, known);
}

void Values::check(int i, double value, const std::string &where) const {
    const PresetValue &of = preset_->values[size_t(i)];
    if (of.kind != ValueKind::number) {
        if (value != 0 && value != 1)
            fail(OPTCORE_BAD_VALUE, of.name, "0 or 1", shown(value), "1 turns it on" + where);
        return;
    }
    if (of.hyper >= 0) {
        const std::string error = hyper_error(preset_->info->hyper(of.hyper), value);
        if (!error.empty())
            throw Failure(OPTCORE_BAD_VALUE, error + where);
    } else if (!(value >= 0)) {
        fail(OPTCORE_BAD_VALUE, of.name, "a number, 0 or more", shown(value),
             "pass e.g. 0" + where);
    }
}

void Values::set(int i, double value) {
    check(i, value, "");
    sources_[size_t(i)] = {value, nullptr};
}

void Values::set(int i, SchedulePtr schedule) {
    const PresetValue &of = preset_->values[size_t(i)];
    if (of.kind != ValueKind::number || of.fixed)
        fail(OPTCORE_UNSUPPORTED, of.name, "a number that may change between steps",
             of.fixed ? "one that stays" : "a switch", "set it with optcore_optimizer_set()");
    sources_[size_t(i)] = {0, std::move(schedule)};
}

void Values::check_together() const {
    const std::string rule = preset_->rule;
    const int nesterov = preset_->find("nesterov"), momentum = preset_->find("momentum");
    const int dampening = preset_->find("dampening"), alpha = preset_->find("alpha");
    if ((rule == "sgd" || rule == "rmsprop" || rule == "lars") && nesterov >= 0 &&
        sources_[size_t(nesterov)].is_on()) {
        const bool damped = rule == "sgd" && sources_[size_t(dampening)].is_on();
        if (!sources_[size_t(momentum)].is_on() || damped)
            throw Failure(OPTCORE_BAD_VALUE, std::string("Nesterov momentum requires a momentum") +
                                                 (rule == "sgd" ? " and zero dampening" : "") +
                                                 "; set momentum to e.g. 0.9, or nesterov to 0");
    }
    if (rule == "rmsprop" && named("bias_correction").is_on() &&
        !sources_[size_t(alpha)].schedule && sources_[size_t(alpha)].value == 1)
        fail(OPTCORE_BAD_VALUE, "bias_correction", "alpha below 1",
             "alpha=1, which would divide by 0", "set alpha to e.g. 0.99");
    if (rule == "rprop") {
        const Source &least = named("step_size_min"), &most = named("step_size_max");
        if (!least.schedule && !most.schedule && least.value > most.value)
            fail(OPTCORE_BAD_VALUE, "step_size_min", "at most step_size_max, " + shown(most.value),
                 shown(least.value), "the first has to be the smaller");
    }
}

unsigned Values::variant() const {
    unsigned bits = 0;
    for (size_t bit = 0; bit < preset_->decided_by.size(); ++bit)
        if (const char *name = preset_->decided_by[bit])
            bits |= unsigned(named(name).is_on()) << bit;
    return bits;
}

double Values::start(const char *slot) const {
    for (const Start &start : preset_->starts)
        if (!std::strcmp(start.slot, slot))
            return start.value ? named(start.value).at(0) : start.number;
    return 0;
}

void Values::check_shared(const Values &other) const {
    for (const char *name : preset_->shared) {
        const Source &mine = named(name), &theirs = other.named(name);
        if (mine.value != theirs.value || mine.schedule != theirs.schedule)
            fail(OPTCORE_BAD_VALUE, name, "the same in all groups, as they share it", "another one",
                 "set it for OPTCORE_ALL_GROUPS");
    }
}

void Values::check_fixed(const Values &made, unsigned variant) const {
    const char *moved = nullptr;
    for (size_t i = 0; i < sources_.size(); ++i)
        if (preset_->values[i].fixed && sources_[i].value != made.sources_[i].value)
            moved = preset_->values[i].name;
    for (size_t bit = 0; bit < preset_->decided_by.size() && !moved; ++bit)
        if ((this->variant() & ~variant) >> bit & 1u)
            moved = preset_->decided_by[bit];
    if (moved)
        fail(OPTCORE_WRONG_TIME, moved,
             "what decides the state to stay as it was when the state was made", "a change of it",
             "make a new optimizer");
}

void Values::tell(Group &group, uint64_t step) const {
    for (const auto &[hyper, value] : preset_->constants)
        group.hyper[hyper] = value;
    for (size_t i = 0; i < sources_.size(); ++i) {
        const PresetValue &of = preset_->values[i];
        const bool on = sources_[i].is_on();
        switch (of.core) {
        case CoreSwitch::decoupled: group.decoupled = on; break;
        case CoreSwitch::maximize: group.maximize = on; break;
        case CoreSwitch::mask_update: group.mask_update = on; break;
        case CoreSwitch::mask_decay: group.mask_decay = on; break;
        case CoreSwitch::none: break;
        }
        if (of.hyper < 0)
            continue;
        const double value = sources_[i].at(step);
        if (sources_[i].schedule)
            check(int(i), value, ": what its schedule gives at step " + std::to_string(step));
        group.hyper[of.hyper] = value;
    }
    group.rule = preset_->id;
    group.decoupled = group.decoupled || preset_->info->factored;
}

bool Values::scheduled() const {
    for (const Source &source : sources_)
        if (source.schedule)
            return true;
    return false;
}

} // namespace optcore::capi
