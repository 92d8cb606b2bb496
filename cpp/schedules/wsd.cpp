#include "wsd.h"

#include <cmath>

#include "between.h"
#include "check.h"
#include "cosine.h"

namespace optcore::schedules {

WSD::WSD(double peak, Count warmup, Count total, Count decay, const std::string &tail, double floor,
         double start)
    : peak_(check::finite({title, "peak"}, peak)), warmup_(warmup),
      total_(check::some_steps({title, "total"}, total)),
      decay_(check::some_steps({title, "decay"}, decay)),
      tail_(static_cast<Tail>(
          check::one_of({title, "tail"}, tail, {"linear", "cosine", "sqrt", "square"}))),
      floor_(check::finite({title, "floor"}, floor)),
      start_(check::finite({title, "start"}, start)) {
    check::shorter({title, "warmup"}, warmup, "total", total);
    check::at_most({title, "decay"}, decay, "total - warmup", total - warmup);
}

/// w(x) at that many steps of the tail.
double WSD::left_of(Count passed) const noexcept {
    const double x = fraction(passed, decay_), left = fraction(decay_ - passed, decay_);
    switch (tail_) {
    case Tail::linear: break;
    case Tail::cosine: return half_cosine(x);
    case Tail::sqrt: return left / (1 + std::sqrt(x));
    case Tail::square: return left * (1 + x);
    }
    return left;
}

double WSD::at(Count step) const noexcept {
    if (step < warmup_)
        return between(start_, peak_, fraction(step, warmup_));
    if (step >= total_)
        return floor_;
    const Count stable = total_ - decay_;
    return step <= stable ? peak_ : between(floor_, peak_, left_of(step - stable));
}

} // namespace optcore::schedules
