// When threads do harm. A parallel region ends when its last thread has run; on a machine whose
// cores are busy with other work that thread may have to wait milliseconds for its turn, over and
// over. So each region is measured, and after one that took longer than a single thread would have,
// the next few run serially: 4, then 16, up to 1024, until a region pays again. Which of them run
// serially makes no difference to the results.
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
        constexpr double kWaking = 50e-6; // a sleeping thread takes about this long to start
        const int patience = patience_.load(std::memory_order_relaxed);
        if (whole > own * threads + kWaking) {
            serial_left_.store(patience, std::memory_order_relaxed);
            patience_.store(patience < 1024 ? patience * 4 : 1024, std::memory_order_relaxed);
        } else if (patience > 4) {
            patience_.store(patience / 4, std::memory_order_relaxed);
        }
    }

private:
    std::atomic<int> serial_left_{0}, patience_{4};
};

} // namespace optcore

#endif
