#include "lr_range_test.h"

#include "between.h"
#include "check.h"
#include "shape.h"

namespace optcore::schedules {

LRRangeTest::LRRangeTest(double low, double high, Count total, const std::string &shape)
    : low_(check::finite({title, "low"}, low)), high_(check::finite({title, "high"}, high)),
      total_(check::some_steps({title, "total"}, total)),
      exponential_(check::one_of({title, "shape"}, shape, {"exponential", "linear"}) == 0) {
    if (exponential_) {
        check::positive({title, "low"}, low_);
        check::positive({title, "high"}, high_);
    }
}

double LRRangeTest::at(Count step) const noexcept {
    const double x = fraction(step, total_);
    return exponential_ ? geometric(low_, high_, x) : between(low_, high_, x);
}

} // namespace optcore::schedules
