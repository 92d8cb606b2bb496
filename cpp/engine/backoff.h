// When threads do harm. A parallel region ends when its last thread has run; a thread that sleeps
// has to be woken, and on a machine whose cores are busy with other work it may have to wait
// milliseconds for its turn, over and over. So each region is measured, and after two in a row that
// took longer than a single thread would have, as many run serially as make the loss a fiftieth of
// their time. Then threads are tried again; the first region of a trial only wakes them. Which
// regions run serially makes no difference to the results.
#ifndef OPTCORE_ENGINE_BACKOFF_H
#define OPTCORE_ENGINE_BACKOFF_H

#include <atomic>

namespace optcore {

class Backoff {
public:
    /// Whether the next region may be parallel.
    bool allows() {
        const int left = serial_left_.load(std::memory_order_relaxed);
        if (left <= 0)
            return true;
        serial_left_.store(left - 1, std::memory_order_relaxed);
        return false;
    }

    /// What a region of so many threads took, and what the caller's own share of it took.
    void report(double own, double whole, int threads) {
        const double serial = own * threads, loss = whole - serial;
        const int trial = trial_.load(std::memory_order_relaxed);
        if (trial == kWaking || loss <= 0) {
            trial_.store(kJudged, std::memory_order_relaxed);
        } else if (trial < kJudged + kLosses - 1) {
            trial_.store(trial + 1, std::memory_order_relaxed);
        } else {
            const double regions = 50 * (1 + kLosses) * loss / serial;
            serial_left_.store(regions < 1000 ? int(regions) + 1 : 1000, std::memory_order_relaxed);
            trial_.store(kWaking, std::memory_order_relaxed);
        }
    }

private:
    static constexpr int kWaking = 0, kJudged = 1, kLosses = 2;
    std::atomic<int> serial_left_{0}, trial_{kWaking};
};

} // namespace optcore

#endif
