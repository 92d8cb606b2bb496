#ifndef OPTCORE_SCHEDULES_NOAM_H
#define OPTCORE_SCHEDULES_NOAM_H

#include "schedule.h"

namespace optcore::schedules {

/// s(k) = scale · dim^−½ · min(n^−½, n·warmup^−3/2), n = k + 1
class Noam final : public Schedule {
public:
    static constexpr const char *title = "Noam";

    Noam(Count dim, Count warmup, double scale);
    double at(Count step) const noexcept override;

private:
    double dim_, warmup_, scale_;
};

} // namespace optcore::schedules

#endif
