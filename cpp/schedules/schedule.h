// A schedule is a pure function of the step number: it keeps no place, so a run resumes anywhere.
//
// To add one: its class in a header of its own (parameters checked in the constructor, the formula
// in `at`), one row in registry.cpp, one class in python/optcore/schedules/.
#ifndef OPTCORE_SCHEDULES_SCHEDULE_H
#define OPTCORE_SCHEDULES_SCHEDULE_H

#include <cstddef>
#include <cstdint>
#include <memory>

namespace optcore {

/// A step number, or a number of steps.
using Count = std::uint64_t;

/// Immutable once made, so it may be shared between threads and owners without care.
class Schedule {
public:
    virtual ~Schedule();

    /// The value at a step. Defined for every step, the ones past the schedule's end included.
    virtual double at(Count step) const noexcept = 0;

    /// values[i] = at(steps[i]) for i in [0, n), the same bits. Overridden where many at once are
    /// quicker than one after another.
    virtual void fill(const Count *steps, double *values, std::size_t n) const noexcept;
};

using SchedulePtr = std::shared_ptr<const Schedule>;

} // namespace optcore

#endif
