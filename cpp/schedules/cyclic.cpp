#include "cyclic.h"

#include "../engine/elementary.h"
#include "between.h"
#include "check.h"

namespace optcore::schedules {

Cyclic::Cyclic(double low, double high, Count up, Count down, const std::string &mode, double gamma)
    : low_(check::finite({title, "low"}, low)), high_(check::finite({title, "high"}, high)),
      up_(check::some_steps({title, "up"}, up)), down_(check::some_steps({title, "down"}, down)),
      mode_(static_cast<Mode>(
          check::one_of({title, "mode"}, mode, {"triangular", "triangular2", "exp_range"}))),
      gamma_(check::part_of_one({title, "gamma"}, gamma)) {
    check::countable({title, "down"}, up_, down_);
}

double Cyclic::at(Count step) const noexcept {
    const Count period = up_ + down_, cycle = step / period, now = step % period;
    const double w = now <= up_ ? fraction(now, up_) : fraction(period - now, down_);
    switch (mode_) {
    case Mode::triangular: break;
    case Mode::triangular2: return between(low_, high_, w * math::power(0.5, cycle));
    case Mode::exp_range: return between(low_, high_, w * math::power(gamma_, step));
    }
    return between(low_, high_, w);
}

} // namespace optcore::schedules
