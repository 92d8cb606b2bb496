#include "warmup.h"

#include <algorithm>
#include <utility>

#include "../engine/elementary.h"
#include "between.h"
#include "check.h"
#include "shape.h"

namespace optcore::schedules {

Warmup::Warmup(Count warmup, SchedulePtr into, double start, const std::string &shape)
    : warmup_(warmup), into_(check::given({title, "into"}, std::move(into))),
      start_(check::finite({title, "start"}, start)), peak_(into_->at(0)),
      ramp_(static_cast<Ramp>(
          check::one_of({title, "shape"}, shape, {"linear", "exponential", "log"}))),
      log_warmup_(math::log(static_cast<double>(warmup))) {
    if (ramp_ == Ramp::exponential && !(start > 0 ? peak_ > 0 : start < 0 && peak_ < 0))
        check::fail({title, "start"},
                    "a number of the sign of what follows (" + check::written(peak_) + ") for " +
                        "shape 'exponential'",
                    check::written(start), "pass a small positive number such as 1e-6");
}

double Warmup::at(Count step) const noexcept {
    if (step >= warmup_)
        return into_->at(step - warmup_);
    const double x = fraction(step, warmup_);
    switch (ramp_) {
    case Ramp::linear: break;
    case Ramp::exponential: return geometric(start_, peak_, x);
    case Ramp::log:
        if (step == 0)
            return start_; // of one step the logarithm is 0
        return between(start_, peak_, math::log(static_cast<double>(step) + 1) / log_warmup_);
    }
    return between(start_, peak_, x);
}

WarmupCosine::WarmupCosine(double peak, Count warmup, Count total, double floor, double start)
    : peak_(check::finite({title, "peak"}, peak)),
      warmup_(check::shorter({title, "warmup"}, warmup, "total",
                             check::some_steps({title, "total"}, total))),
      start_(check::finite({title, "start"}, start)),
      into_(peak, total - warmup_, check::finite({title, "floor"}, floor), 1) {}

double WarmupCosine::at(Count step) const noexcept {
    if (step >= warmup_)
        return into_.at(step - warmup_);
    return between(start_, peak_, fraction(step, warmup_));
}

void WarmupCosine::fill(const Count *steps, double *values, std::size_t n) const noexcept {
    constexpr std::size_t block = 256;
    Count after[block];
    for (std::size_t begin = 0; begin < n; begin += block) {
        const std::size_t size = std::min(block, n - begin);
        for (std::size_t i = 0; i < size; ++i)
            after[i] = std::max(steps[begin + i], warmup_) - warmup_;
        into_.fill(after, values + begin, size);
        for (std::size_t i = begin; i < begin + size; ++i)
            if (steps[i] < warmup_)
                values[i] = at(steps[i]);
    }
}

} // namespace optcore::schedules
