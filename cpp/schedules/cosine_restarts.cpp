#include "cosine_restarts.h"

#include <algorithm>
#include <limits>

#include "../engine/elementary.h"
#include "between.h"
#include "check.h"
#include "cosine.h"

namespace optcore::schedules {

CosineRestarts::CosineRestarts(double initial, Count period, double t_mul, double m_mul,
                               double floor)
    : initial_(check::finite({title, "initial"}, initial)),
      period_(check::some_steps({title, "period"}, period)),
      t_mul_(check::at_least_one({title, "t_mul"}, t_mul)),
      m_mul_(check::not_negative({title, "m_mul"}, m_mul)),
      floor_(check::finite({title, "floor"}, floor)) {
    const bool whole = t_mul >= 0x1p53 || static_cast<double>(static_cast<Count>(t_mul)) == t_mul;
    if (whole && t_mul > 1)
        tabulate();
    else if (!whole)
        runs_ = runs_of(period, t_mul);
}

/// In whole numbers: at most 64 cycles begin before the last step number.
void CosineRestarts::tabulate() {
    constexpr Count last = std::numeric_limits<Count>::max();
    const Count t_mul = t_mul_ < 0x1p64 ? static_cast<Count>(t_mul_) : last;
    Count start = 0, length = period_;
    for (;;) {
        starts_.push_back(start);
        lengths_.push_back(static_cast<double>(length));
        if (length > last - start)
            return; // it lasts beyond all steps
        start += length;
        if (length > last / t_mul)
            break;
        length *= t_mul;
    }
    starts_.push_back(start);
    lengths_.push_back(static_cast<double>(length) * t_mul_);
}

/// The runs of 1, 2, 4, … cycles that end before the last step number: at most 64. Twice as many
/// cycles are 1 + t_mulⁿ = 2 + growth times as long; growth itself is carried, not t_mulⁿ, which
/// would drown it where t_mul is close to 1.
std::vector<CosineRestarts::Run> CosineRestarts::runs_of(Count period, double t_mul) {
    std::vector<Run> runs;
    Run run = {t_mul - 1, 1};
    while (static_cast<double>(period) * run.sum <= 0x1p64) {
        runs.push_back(run);
        run = {run.growth * (2 + run.growth), run.sum * (2 + run.growth)};
    }
    return runs;
}

/// Walks from the beginning in the longest runs that fit, so in at most 64 strides.
CosineRestarts::Place CosineRestarts::find(Count step) const noexcept {
    if (t_mul_ == 1) // the same in whole numbers, exact for every step
        return {step / period_, fraction(step % period_, period_)};
    if (!starts_.empty()) {
        const auto next = std::upper_bound(starts_.begin(), starts_.end(), step);
        const auto i = static_cast<std::size_t>(next - starts_.begin()) - 1;
        return {i, static_cast<double>(step - starts_[i]) / lengths_[i]};
    }
    const double now = static_cast<double>(step);
    const double reached = now + std::min(now * 0x1p-40, 0x1p-20);
    Count cycle = 0;
    double start = 0, length = static_cast<double>(period_);
    for (std::size_t j = runs_.size(); j-- > 0;) {
        const double next = start + length * runs_[j].sum;
        if (next <= reached) {
            start = next;
            length *= 1 + runs_[j].growth;
            cycle += Count{1} << j;
        }
    }
    return {cycle, std::clamp((now - start) / length, 0.0, 1.0)};
}

double CosineRestarts::at(Count step) const noexcept {
    const Place place = find(step);
    // Held finite: 0 times it must stay 0.
    const double scale =
        std::min(math::power(m_mul_, place.cycle), std::numeric_limits<double>::max());
    const double peak = scale == 1 ? initial_ : floor_ + (initial_ - floor_) * scale;
    return between(floor_, peak, half_cosine(place.passed));
}

} // namespace optcore::schedules
