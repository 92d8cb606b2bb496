// The ways from one value to another.
#ifndef OPTCORE_SCHEDULES_SHAPE_H
#define OPTCORE_SCHEDULES_SHAPE_H

#include <string>

#include "check.h"
#include "schedule.h"

namespace optcore::schedules {

enum class Shape { linear, cosine };

/// The shape of that name: "linear" or "cosine".
Shape shape_of(check::Argument argument, const std::string &name);

/// From `from` at x = 0 to `to` at x = 1, along a straight line or half a cosine.
double blend(Shape shape, double from, double to, double x);

/// from·(to/from)^x for two values of one sign: exact at both ends and never outside them.
double geometric(double from, double to, double x);

} // namespace optcore::schedules

#endif
