// The named values of a group: numbers, schedules, switches and options.
#ifndef OPTCORE_CAPI_VALUES_H
#define OPTCORE_CAPI_VALUES_H

#include <string>
#include <vector>

#include "../engine/tensor.h"
#include "../schedules/schedule.h"
#include "presets.h"

namespace optcore::capi {

/// Where a value comes from: a number or a schedule.
struct Source {
    double value = 0;
    SchedulePtr schedule;

    double at(uint64_t step) const { return schedule ? schedule->at(step) : value; }
    bool is_on() const { return schedule || value != 0; }
};

class Values {
public:
    explicit Values(const Preset &preset);

    const Preset &preset() const { return *preset_; }
    const Source &operator[](int i) const { return sources_[size_t(i)]; }
    const Source &named(const char *name) const { return sources_[size_t(index(name))]; }
    /// The place of a value; an error that lists the near ones.
    int index(const char *name) const;

    /// Each checks the value alone, and changes it.
    void set(int i, double value);
    void set(int i, SchedulePtr schedule);

    /// An error where values do not go together.
    void check_together() const;
    /// Bit i: option i of the rule is on.
    unsigned variant() const;
    /// What a state array starts from.
    double start(const char *slot) const;

    /// An error where the other group differs in what the groups share.
    void check_shared(const Values &other) const;
    /// An error unless this keeps what decides the state as it was made from `made`, which is of
    /// `variant`.
    void check_fixed(const Values &made, unsigned variant) const;

    /// Writes the values at a step into what the core is told, each checked.
    void tell(Group &group, uint64_t step) const;
    bool scheduled() const;

private:
    void check(int i, double value, const std::string &where) const;

    const Preset *preset_;
    std::vector<Source> sources_;
};

} // namespace optcore::capi

#endif
