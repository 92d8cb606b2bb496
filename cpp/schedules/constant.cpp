#include "constant.h"

#include "check.h"

namespace optcore::schedules {

Constant::Constant(double value) : value_(check::finite({title, "value"}, value)) {}

double Constant::at(Count) const noexcept { return value_; }

} // namespace optcore::schedules
