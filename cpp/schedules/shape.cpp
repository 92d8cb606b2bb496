#include "shape.h"

#include <algorithm>

#include "../engine/elementary.h"
#include "between.h"
#include "cosine.h"

namespace optcore::schedules {

Shape shape_of(check::Argument argument, const std::string &name) {
    return static_cast<Shape>(check::one_of(argument, name, {"linear", "cosine"}));
}

double blend(Shape shape, double from, double to, double x) {
    return shape == Shape::linear ? between(from, to, x) : between(to, from, half_cosine(x));
}

double geometric(double from, double to, double x) {
    if (x <= 0)
        return from;
    if (x >= 1)
        return to;
    const double value = from * math::pow(to / from, x);
    return std::clamp(value, std::min(from, to), std::max(from, to));
}

} // namespace optcore::schedules
