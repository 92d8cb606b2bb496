// The checks of constructor arguments. Each returns what it checked, or throws
// std::invalid_argument: which argument of which schedule, what was expected, what came, and what
// to do about it.
#ifndef OPTCORE_SCHEDULES_CHECK_H
#define OPTCORE_SCHEDULES_CHECK_H

#include <vector>

#include "schedule.h"

namespace optcore::schedules::check {

/// An argument as the user knows it: the name of the schedule and its own.
struct Argument {
    const char *schedule, *name;
};

double finite(Argument argument, double value);
double not_negative(Argument argument, double value);
double positive(Argument argument, double value);
double at_least_one(Argument argument, double value);

/// A number of steps by which something is divided.
Count some_steps(Argument argument, Count value);

/// A part that has to be shorter than the whole.
Count shorter(Argument argument, Count value, const char *whole_name, Count whole);

std::vector<Count> in_order(Argument argument, std::vector<Count> steps);
SchedulePtr given(Argument argument, SchedulePtr schedule);

} // namespace optcore::schedules::check

#endif
