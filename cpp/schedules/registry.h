// All schedules as data, so that every door can make one by name without knowing any of them.
#ifndef OPTCORE_SCHEDULES_REGISTRY_H
#define OPTCORE_SCHEDULES_REGISTRY_H

#include <string>
#include <variant>
#include <vector>

#include "schedule.h"

namespace optcore::schedules {

/// What a constructor may take.
using Value = std::variant<double, Count, bool, std::string, SchedulePtr, std::vector<double>,
                           std::vector<Count>, std::vector<SchedulePtr>>;

/// The alternatives of Value, in its order.
enum class Kind { number, count, flag, word, schedule, numbers, counts, schedules };

struct Parameter {
    const char *name;
    Kind kind;
};

struct Family {
    const char *name;  // what a saved schedule says: "cosine_restarts"
    const char *title; // what error messages say: "CosineRestarts"
    std::vector<Parameter> parameters;
    /// Takes one value of the right kind for each parameter; throws std::invalid_argument.
    SchedulePtr (*make)(const std::vector<Value> &values);
};

const std::vector<Family> &families();

/// The family of that name, or nullptr.
const Family *find_family(const char *name);

} // namespace optcore::schedules

#endif
