#include "check.h"

#include <cmath>
#include <locale>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace optcore::schedules::check {
namespace {

template <class Came>
[[noreturn]] void fail(Argument argument, const char *expected, const Came &came,
                       const std::string &mend) {
    std::ostringstream message;
    message.imbue(std::locale::classic());
    message.precision(15);
    message << argument.schedule << '.' << argument.name << ": expected " << expected << ", got "
            << came << "; " << mend;
    throw std::invalid_argument(message.str());
}

} // namespace

double finite(Argument argument, double value) {
    if (!std::isfinite(value))
        fail(argument, "a finite number", value, "pass an ordinary number such as 0.001");
    return value;
}

double not_negative(Argument argument, double value) {
    if (!(finite(argument, value) >= 0))
        fail(argument, "a number of at least 0", value, "pass 0 or a positive number");
    return value;
}

double positive(Argument argument, double value) {
    if (!(finite(argument, value) > 0))
        fail(argument, "a number above 0", value, "pass a positive number such as 1.0");
    return value;
}

double at_least_one(Argument argument, double value) {
    if (!(finite(argument, value) >= 1))
        fail(argument, "a number of at least 1", value,
             "pass 1.0 to leave the length as it is, 2.0 to double it");
    return value;
}

Count some_steps(Argument argument, Count value) {
    if (value == 0)
        fail(argument, "at least 1 step", value, "pass a number of steps such as 100");
    return value;
}

Count shorter(Argument argument, Count value, const char *whole_name, Count whole) {
    if (value >= whole) {
        const std::string name = whole_name;
        fail(argument, ("fewer steps than " + name + " (" + std::to_string(whole) + ")").c_str(),
             value,
             "raise " + name + ", which counts these steps as well, or lower " + argument.name);
    }
    return value;
}

std::vector<Count> in_order(Argument argument, std::vector<Count> steps) {
    for (std::size_t i = 1; i < steps.size(); ++i)
        if (steps[i] < steps[i - 1])
            fail(argument, "steps in rising order",
                 std::to_string(steps[i]) + " after " + std::to_string(steps[i - 1]),
                 "pass sorted(" + std::string(argument.name) + ")");
    return steps;
}

SchedulePtr given(Argument argument, SchedulePtr schedule) {
    if (!schedule)
        fail(argument, "a schedule", "nothing", "pass one, such as Constant(0.001)");
    return schedule;
}

} // namespace optcore::schedules::check
