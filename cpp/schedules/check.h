// The checks of constructor arguments. Each returns what it checked, or throws
// std::invalid_argument: which argument of which schedule, what was expected, what came, and what
// to do about it.
#ifndef OPTCORE_SCHEDULES_CHECK_H
#define OPTCORE_SCHEDULES_CHECK_H

#include <initializer_list>
#include <string>
#include <vector>

#include "schedule.h"

namespace optcore::schedules::check {

/// An argument as the user knows it: the name of the schedule and its own.
struct Argument {
    const char *schedule, *name;
};

/// Throws that message.
[[noreturn]] void fail(Argument argument, const std::string &expected, const std::string &came,
                       const std::string &mend);

/// A number as messages show it.
std::string written(double value);

double a_number(Argument argument, double value);
double finite(Argument argument, double value);
std::vector<double> finite(Argument argument, std::vector<double> values);
double not_negative(Argument argument, double value);
double positive(Argument argument, double value);
double at_least_one(Argument argument, double value);
double part_of_one(Argument argument, double value);

/// Numbers that another argument limits.
double above(Argument argument, double value, const char *other_name, double other);
double at_least(Argument argument, double value, const char *other_name, double other);

/// The place of a word in the list of those that are known.
std::size_t one_of(Argument argument, const std::string &word,
                   std::initializer_list<const char *> known);

Count not_zero(Argument argument, Count value);

/// A number of steps by which something is divided.
Count some_steps(Argument argument, Count value);

/// A part that has to be shorter than the whole.
Count shorter(Argument argument, Count value, const char *whole_name, Count whole);

/// A part that may be all there is.
Count at_most(Argument argument, Count value, const char *limit_name, Count limit);

/// Two lengths whose sum is a number of steps as well.
void countable(Argument argument, Count first, Count second);

std::vector<Count> in_order(Argument argument, std::vector<Count> steps);
void not_empty(Argument argument, std::size_t size);
void as_many(Argument argument, std::size_t size, const char *other_name, std::size_t wanted);

SchedulePtr given(Argument argument, SchedulePtr schedule);

/// At least one of them.
std::vector<SchedulePtr> given(Argument argument, std::vector<SchedulePtr> schedules);

} // namespace optcore::schedules::check

#endif
