#include "check.h"

#include <cmath>
#include <limits>
#include <locale>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace optcore::schedules::check {

void fail(Argument argument, const std::string &expected, const std::string &came,
          const std::string &mend) {
    throw std::invalid_argument(std::string(argument.schedule) + '.' + argument.name +
                                ": expected " + expected + ", got " + came + "; " + mend);
}

std::string written(double value) {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text.precision(15);
    text << value;
    return text.str();
}

double a_number(Argument argument, double value) {
    if (std::isnan(value))
        fail(argument, "a number", written(value), "pass an ordinary number such as 0.001");
    return value;
}

double finite(Argument argument, double value) {
    if (!std::isfinite(value))
        fail(argument, "a finite number", written(value), "pass an ordinary number such as 0.001");
    return value;
}

std::vector<double> finite(Argument argument, std::vector<double> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::string name = argument.name + ('[' + std::to_string(i) + ']');
        finite({argument.schedule, name.c_str()}, values[i]);
    }
    return values;
}

double not_negative(Argument argument, double value) {
    if (!(finite(argument, value) >= 0))
        fail(argument, "a number of at least 0", written(value), "pass 0 or a positive number");
    return value;
}

double positive(Argument argument, double value) {
    if (!(finite(argument, value) > 0))
        fail(argument, "a number above 0", written(value), "pass a positive number such as 1.0");
    return value;
}

double at_least_one(Argument argument, double value) {
    if (!(finite(argument, value) >= 1))
        fail(argument, "a number of at least 1", written(value),
             "pass 1.0 to leave the length as it is, 2.0 to double it");
    return value;
}

double part_of_one(Argument argument, double value) {
    if (!(finite(argument, value) >= 0 && value <= 1))
        fail(argument, "a number from 0 to 1", written(value), "pass a fraction such as 0.3");
    return value;
}

double above(Argument argument, double value, const char *other_name, double other) {
    if (!(finite(argument, value) > other))
        fail(argument, std::string("more than ") + other_name + " (" + written(other) + ")",
             written(value), std::string("raise it, or lower ") + other_name);
    return value;
}

double at_least(Argument argument, double value, const char *other_name, double other) {
    if (!(a_number(argument, value) >= other))
        fail(argument, std::string("at least ") + other_name + " (" + written(other) + ")",
             written(value), std::string("swap ") + other_name + " and " + argument.name);
    return value;
}

std::size_t one_of(Argument argument, const std::string &word,
                   std::initializer_list<const char *> known) {
    std::string list;
    std::size_t i = 0;
    for (const char *one : known) {
        if (word == one)
            return i;
        ++i;
        list += (list.empty() ? "'" : ", '") + std::string(one) + "'";
    }
    fail(argument, "one of " + list, "'" + word + "'", "pick one of them");
}

Count not_zero(Argument argument, Count value) {
    if (value == 0)
        fail(argument, "at least 1", "0", "pass a positive whole number");
    return value;
}

Count some_steps(Argument argument, Count value) {
    if (value == 0)
        fail(argument, "at least 1 step", "0", "pass a number of steps such as 100");
    return value;
}

Count shorter(Argument argument, Count value, const char *whole_name, Count whole) {
    if (value >= whole) {
        const std::string name = whole_name;
        fail(argument, "fewer steps than " + name + " (" + std::to_string(whole) + ")",
             std::to_string(value),
             "raise " + name + ", which counts these steps as well, or lower " + argument.name);
    }
    return value;
}

Count at_most(Argument argument, Count value, const char *limit_name, Count limit) {
    if (value > limit)
        fail(argument, std::string("at most ") + limit_name + " (" + std::to_string(limit) + ")",
             std::to_string(value), std::string("lower ") + argument.name + " or raise the total");
    return value;
}

void countable(Argument argument, Count first, Count second) {
    if (second > std::numeric_limits<Count>::max() - first)
        fail(argument, "less than 2**64 steps in a cycle", std::to_string(second),
             std::string("lower ") + argument.name);
}

std::vector<Count> in_order(Argument argument, std::vector<Count> steps) {
    for (std::size_t i = 1; i < steps.size(); ++i)
        if (steps[i] < steps[i - 1])
            fail(argument, "steps in rising order",
                 std::to_string(steps[i]) + " after " + std::to_string(steps[i - 1]),
                 "pass sorted(" + std::string(argument.name) + ")");
    return steps;
}

void not_empty(Argument argument, std::size_t size) {
    if (size == 0)
        fail(argument, "at least one", "none", "pass a list with something in it");
}

void as_many(Argument argument, std::size_t size, const char *other_name, std::size_t wanted) {
    if (size != wanted)
        fail(argument,
             std::string("as many as ") + other_name + " (" + std::to_string(wanted) + ")",
             std::to_string(size), "add what is missing or leave out what is too many");
}

SchedulePtr given(Argument argument, SchedulePtr schedule) {
    if (!schedule)
        fail(argument, "a schedule", "nothing", "pass one, such as Constant(0.001)");
    return schedule;
}

std::vector<SchedulePtr> given(Argument argument, std::vector<SchedulePtr> schedules) {
    not_empty(argument, schedules.size());
    for (const SchedulePtr &schedule : schedules)
        given(argument, schedule);
    return schedules;
}

} // namespace optcore::schedules::check
