#include "one_cycle.h"

#include <cmath>

#include "check.h"

namespace optcore::schedules {

Cycle::Cycle(const char *title, Values values, Count total, double rise, Count phases,
             const std::string &shape)
    : values_(values), shape_(shape_of({title, "shape"}, shape)) {
    const double steps = static_cast<double>(check::some_steps({title, "total"}, total));
    if (phases != 2 && phases != 3)
        check::fail({title, "phases"}, "2 or 3", std::to_string(phases),
                    "pass 2 to go from the peak to the end, 3 to pass by the start again");
    up_ = check::part_of_one({title, "rise"}, rise) * steps - 1;
    end_ = steps - 1;
    if (phases == 3 && rise > 0.5)
        check::fail({title, "rise"}, "at most 0.5 with three phases", check::written(rise),
                    "leave as long for the way down as for the way up");
    down_ = phases == 3 ? 2 * up_ : end_;
}

double Cycle::at(Count step) const noexcept {
    const double k = static_cast<double>(step);
    if (k <= up_) // so up is above 0, or both are 0
        return up_ > 0 ? blend(shape_, values_.first, values_.middle, k / up_) : values_.middle;
    if (k >= end_)
        return values_.last;
    if (down_ == end_)
        return blend(shape_, values_.middle, values_.last, (k - up_) / (end_ - up_));
    if (k <= down_)
        return blend(shape_, values_.middle, values_.first, (k - up_) / (down_ - up_));
    return blend(shape_, values_.first, values_.last, (k - down_) / (end_ - down_));
}

namespace {

/// peak over a divisor that does not take it beyond all floats.
double divided(check::Argument argument, double peak, double divisor) {
    const double value = peak / check::positive(argument, divisor);
    if (!std::isfinite(value))
        check::fail(argument, "a divisor that leaves a finite value", check::written(divisor),
                    "pass one nearer to 1");
    return value;
}

} // namespace

OneCycle::OneCycle(double peak, Count total, double rise, double div, double final_div,
                   Count phases, const std::string &shape)
    : cycle_(title,
             {divided({title, "div"}, check::finite({title, "peak"}, peak), div), peak,
              divided({title, "final_div"}, peak / div, final_div)},
             total, rise, phases, shape) {}

double OneCycle::at(Count step) const noexcept { return cycle_.at(step); }

OneCycleMomentum::OneCycleMomentum(double low, double high, Count total, double rise, Count phases,
                                   const std::string &shape)
    : cycle_(title,
             {check::finite({title, "high"}, high), check::finite({title, "low"}, low), high},
             total, rise, phases, shape) {}

double OneCycleMomentum::at(Count step) const noexcept { return cycle_.at(step); }

} // namespace optcore::schedules
