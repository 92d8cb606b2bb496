#ifndef OPTCORE_SCHEDULES_COSINE_RESTARTS_H
#define OPTCORE_SCHEDULES_COSINE_RESTARTS_H

#include <vector>

#include "schedule.h"

namespace optcore::schedules {

/// SGDR (Loshchilov & Hutter, 2017): cosine cycles of period·t_mulⁱ steps, i = 0, 1, …
///   s(k) = floor + (initial − floor)·m_mulⁱ·(1 + cos(π·x))/2
/// where x in [0, 1) is the part of cycle i that has passed at step k. Cycle i begins at
///   period·(t_mulⁱ − 1)/(t_mul − 1),
/// or at period·i if t_mul is 1. With a whole t_mul all of that is exact, at every step. Otherwise
/// a beginning less than 2⁻⁴⁰ of itself (and 2⁻²⁰ of a step) behind a whole step counts as that
/// step: 1.1 is no binary number, 1000·(1 + 1.1) should still be 2100.
class CosineRestarts final : public Schedule {
public:
    static constexpr const char *title = "CosineRestarts";

    CosineRestarts(double initial, Count period, double t_mul, double m_mul, double floor);
    double at(Count step) const noexcept override;

private:
    struct Place {
        Count cycle;
        double passed;
    };
    /// 2ʲ cycles in a row: how much longer the next cycle is than their first (by `growth` times
    /// its length), and how long they are together (`sum` times that length).
    struct Run {
        double growth, sum;
    };

    Place find(Count step) const noexcept;
    void tabulate();
    static std::vector<Run> runs_of(Count period, double t_mul);

    double initial_;
    Count period_;
    double t_mul_, m_mul_, floor_;
    std::vector<Count> starts_;   // of all cycles, if t_mul is whole and not 1
    std::vector<double> lengths_; // and how long they are
    std::vector<Run> runs_;       // if it is not
};

} // namespace optcore::schedules

#endif
