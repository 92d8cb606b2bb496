// Schedules by name.
#include <cmath>
#include <cstring>
#include <limits>

#include "../schedules/registry.h"
#include "arguments.h"
#include "names.h"
#include "saved.h"

using namespace optcore;
using namespace optcore::capi;
using schedules::Family;
using schedules::Kind;
using schedules::Parameter;
using schedules::Value;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The default of an argument: a number, a word, or what another argument is.
struct Default {
    const char *family, *parameter;
    double number;
    const char *word, *same;
};

const Default kDefaults[] = {
#define OPTCORE_DEFAULT(family, parameter, number) {family, parameter, number, nullptr, nullptr},
#define OPTCORE_WORD(family, parameter, word) {family, parameter, 0, word, nullptr},
#define OPTCORE_SAME(family, parameter, other) {family, parameter, 0, nullptr, other},
#include "schedule_defaults.def"
};

const Default *default_of(const Family &family, const Parameter &parameter) {
    for (const Default &each : kDefaults)
        if (!std::strcmp(each.family, family.name) && !std::strcmp(each.parameter, parameter.name))
            return &each;
    return nullptr;
}

const Family &family_named(const char *name) {
    not_null(name, "name");
    std::vector<std::string> known;
    for (const Family &family : schedules::families()) {
        if (plain(family.name) == plain(name))
            return family;
        known.push_back(family.name);
    }
    unknown_name("name", "a schedule", name, known);
}

SchedulePtr pointed_at(const optcore_schedule *schedule) {
    return opened(const_cast<optcore_schedule *>(schedule)).schedule;
}

template <class T>
std::vector<T> listed(const T *values, int64_t length, const std::string &where) {
    check_count(length, values, where.c_str());
    return length ? std::vector<T>(values, values + length) : std::vector<T>();
}

std::vector<SchedulePtr> listed_schedules(const optcore_argument &a, const std::string &where) {
    std::vector<SchedulePtr> all;
    check_count(a.length, a.schedules, where.c_str());
    for (int64_t i = 0; i < a.length; ++i)
        all.push_back(pointed_at(a.schedules[i]));
    return all;
}

/// An error where a field is set that an argument of this kind does not read.
void check_fields(const optcore_argument &a, Kind kind, const std::string &where) {
    const bool list = kind == Kind::numbers || kind == Kind::counts || kind == Kind::schedules ||
                      kind == Kind::schedule;
    const bool number = kind == Kind::number, whole = kind == Kind::count || kind == Kind::flag;
    const bool odd = (!number && a.number != 0) || (!whole && a.whole != 0) ||
                     (kind != Kind::word && a.word) || (kind != Kind::numbers && a.numbers) ||
                     (kind != Kind::counts && a.wholes) ||
                     (kind != Kind::schedules && kind != Kind::schedule && a.schedules) ||
                     (!list && a.length != 0);
    static const char *const fields[] = {"number",    "whole",   "whole",  "word",
                                         "schedules", "numbers", "wholes", "schedules"};
    if (odd)
        fail(OPTCORE_BAD_VALUE, where, std::string("the field ") + fields[int(kind)] + " alone",
             "another one set", "set the rest of the struct to zero");
}

Value given(const optcore_argument &a, const Family &family, const Parameter &parameter) {
    const std::string where = std::string(family.name) + "." + parameter.name;
    check_fields(a, parameter.kind, where);
    switch (parameter.kind) {
    case Kind::number: return a.number;
    case Kind::count: return Count(a.whole);
    case Kind::flag:
        if (a.whole > 1)
            fail(OPTCORE_BAD_VALUE, where, "0 or 1", std::to_string(a.whole), "1 turns it on");
        return a.whole == 1;
    case Kind::word: not_null(a.word, where.c_str()); return std::string(a.word);
    case Kind::schedule:
        if (a.length != 1 || !a.schedules)
            fail(OPTCORE_BAD_VALUE, where, "one schedule, with a length of 1",
                 std::to_string(a.length), "pass the address of its handle");
        return pointed_at(a.schedules[0]);
    case Kind::numbers: return listed(a.numbers, a.length, where);
    case Kind::counts: return listed<Count>(a.wholes, a.length, where);
    case Kind::schedules: break;
    }
    return listed_schedules(a, where);
}

Value left_out(const Family &family, const Parameter &parameter, const Default &by) {
    switch (parameter.kind) {
    case Kind::number: return by.number;
    case Kind::count: return Count(by.number);
    case Kind::flag: return by.number != 0;
    case Kind::word: return std::string(by.word);
    case Kind::schedule: return schedules::find_family("constant")->make({Value(by.number)});
    default:
        fail(OPTCORE_INTERNAL, std::string(family.name) + "." + parameter.name, "no default", "one",
             "please report it");
    }
}

SchedulePtr made(const Family &family, const optcore_argument *arguments, int64_t count) {
    const size_t known = family.parameters.size();
    std::vector<Value> values(known);
    std::vector<bool> there(known, false);
    for (int64_t i = 0; i < count; ++i) {
        const auto a = item(arguments, i, OPTCORE_UP_TO(optcore_argument, name), "arguments");
        not_null(a.name, "arguments.name");
        size_t k = 0;
        while (k < known && std::strcmp(a.name, family.parameters[k].name) != 0)
            ++k;
        if (k == known) {
            std::vector<std::string> names;
            for (const Parameter &parameter : family.parameters)
                names.push_back(parameter.name);
            unknown_name("arguments", std::string("an argument of ") + family.name, a.name, names);
        }
        if (there[k])
            fail(OPTCORE_BAD_VALUE, std::string(family.name) + "." + a.name, "one value", "two",
                 "pass it once");
        there[k] = true;
        values[k] = given(a, family, family.parameters[k]);
    }
    for (size_t k = 0; k < known; ++k) {
        const Parameter &parameter = family.parameters[k];
        if (there[k])
            continue;
        const Default *by = default_of(family, parameter);
        size_t other = 0;
        while (by && by->same && std::strcmp(by->same, family.parameters[other].name) != 0)
            ++other;
        if (!by || (by->same && !there[other]))
            fail(OPTCORE_BAD_VALUE, std::string(family.name) + "." + parameter.name, "a value",
                 "none", "it has no default: pass it");
        values[k] = by->same ? values[other] : left_out(family, parameter, *by);
    }
    return family.make(values);
}

} // namespace

int64_t optcore_schedule_count(void) noexcept {
    int64_t count = 0;
    guarded([&] { count = int64_t(schedules::families().size()); });
    return count;
}

optcore_status optcore_schedule_info_at(int64_t index, optcore_schedule_info *info) noexcept {
    return guarded([&] {
        check_output(info, "info");
        check_index(index, int64_t(schedules::families().size()), "index");
        const Family &family = schedules::families()[size_t(index)];
        optcore_schedule_info out = {};
        out.name = family.name;
        out.title = family.title;
        out.arguments = int64_t(family.parameters.size());
        give(info, out);
    });
}

optcore_status optcore_schedule_argument(const char *name, int64_t index,
                                         optcore_argument_info *info) noexcept {
    return guarded([&] {
        check_output(info, "info");
        const Family &family = family_named(name);
        check_index(index, int64_t(family.parameters.size()), "index");
        const Parameter &parameter = family.parameters[size_t(index)];
        const Default *by = default_of(family, parameter);
        optcore_argument_info out = {};
        out.name = parameter.name;
        out.kind = int32_t(parameter.kind);
        out.required = !by;
        out.number = by ? by->number : 0;
        out.word = by ? by->word : nullptr;
        give(info, out);
    });
}

optcore_status optcore_schedule_create(const char *name, const optcore_argument *arguments,
                                       int64_t count, optcore_schedule **schedule) noexcept {
    return guarded([&] {
        not_null(schedule, "schedule");
        const Family &family = family_named(name);
        check_count(count, arguments, "arguments");
        auto handle = std::make_unique<optcore_schedule>();
        handle->schedule = made(family, arguments, count);
        hand_out(std::move(handle), schedule);
    });
}

optcore_status optcore_schedule_destroy(optcore_schedule *schedule) noexcept {
    return guarded([&] { destroyed(schedule); });
}

optcore_status optcore_schedule_at(const optcore_schedule *schedule, uint64_t step,
                                   double *value) noexcept {
    return guarded([&] {
        not_null(value, "value");
        *value = pointed_at(schedule)->at(step);
    });
}

optcore_status optcore_schedule_fill(const optcore_schedule *schedule, const uint64_t *steps,
                                     int64_t count, double *values) noexcept {
    return guarded([&] {
        check_count(count, values, "values");
        const SchedulePtr s = pointed_at(schedule);
        if (steps)
            return s->fill(steps, values, size_t(count));
        constexpr int64_t kRoom = 256;
        Count room[kRoom];
        for (int64_t at = 0; at < count; at += kRoom) {
            const int64_t n = count - at < kRoom ? count - at : kRoom;
            for (int64_t i = 0; i < n; ++i)
                room[i] = Count(at + i);
            s->fill(room, values + at, size_t(n));
        }
    });
}
