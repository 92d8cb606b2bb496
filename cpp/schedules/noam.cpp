#include "noam.h"

#include <cmath>

#include "check.h"

namespace optcore::schedules {

Noam::Noam(Count dim, Count warmup, double scale)
    : dim_(static_cast<double>(check::not_zero({title, "dim"}, dim))),
      warmup_(static_cast<double>(check::some_steps({title, "warmup"}, warmup))),
      scale_(check::finite({title, "scale"}, scale)) {}

double Noam::at(Count step) const noexcept {
    const double n = static_cast<double>(step) + 1;
    if (n >= warmup_)
        return scale_ / std::sqrt(dim_ * n);
    return scale_ * (n / warmup_) / std::sqrt(dim_ * warmup_);
}

} // namespace optcore::schedules
