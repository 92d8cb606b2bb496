#include "slanted_triangular.h"

#include <algorithm>

#include "between.h"
#include "check.h"

namespace optcore::schedules {

SlantedTriangular::SlantedTriangular(double peak, Count total, double cut, double ratio)
    : peak_(check::finite({title, "peak"}, peak)),
      low_(peak / check::at_least_one({title, "ratio"}, ratio)),
      total_(check::some_steps({title, "total"}, total)) {
    const double top = check::part_of_one({title, "cut"}, cut) * static_cast<double>(total);
    top_ = top < 0x1p64 ? std::min(static_cast<Count>(top), total) : total;
}

double SlantedTriangular::at(Count step) const noexcept {
    if (step >= total_)
        return low_;
    if (step < top_)
        return between(low_, peak_, fraction(step, top_));
    return between(low_, peak_, fraction(total_ - step, total_ - top_));
}

} // namespace optcore::schedules
