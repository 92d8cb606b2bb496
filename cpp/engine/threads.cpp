#include "threads.h"

#include <atomic>
#include <chrono>

#include "../kernels/table.h"
#include "backoff.h"
#include "cpu_quota.h"
#include "fp_mode.h"

#if defined(_OPENMP)
#include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace optcore {
namespace {

std::atomic<int> chosen_threads{0};
std::atomic<bool> forked{false};
thread_local const Executor *executor = nullptr;
#if defined(_OPENMP)
Backoff backoff;
#endif

/// A parallel region, for the host's threads.
struct Region {
    void (*work)(void *, int, int);
    void *context;
    int threads;
    FpMode mode;

    static void run(void *region, int32_t k) {
        const Region &r = *static_cast<Region *>(region);
        const FpMode previous = current_fp_mode();
        set_fp_mode(r.mode);
        r.work(r.context, k, r.threads);
        set_fp_mode(previous);
    }
};

} // namespace

UseExecutor::UseExecutor(const Executor *now) : before_(executor) { executor = now; }
UseExecutor::~UseExecutor() { executor = before_; }

int num_threads() {
#if defined(_OPENMP)
    const int chosen = chosen_threads.load(std::memory_order_relaxed);
    if (chosen > 0)
        return chosen;
    static const int quota = cpu_quota(); // 0: none
    const int runtime = omp_get_max_threads();
    return quota > 0 && quota < runtime ? quota : runtime;
#else
    return 1;
#endif
}

void set_num_threads(int threads) { chosen_threads.store(threads, std::memory_order_relaxed); }

int threads_for(int64_t elements, int asked) {
    if (elements < kSerialBelow)
        return 1;
    if (executor) {
        const int64_t useful = elements / kBlock + 1;
        const int given = asked > 0 && asked < executor->threads ? asked : executor->threads;
        return int(useful < given ? useful : given);
    }
    if (in_forked_child())
        return 1;
#if defined(_OPENMP)
    // A thread for less than a tile is of no use, and the runtime ends the process over too many.
    const int64_t useful = elements / kBlock + 1;
    const int most = int(useful < omp_get_thread_limit() ? useful : omp_get_thread_limit());
    if (asked > 0)
        return asked < most ? asked : most;
    const int threads = num_threads() < most ? num_threads() : most;
    return threads > 1 && backoff.allows() ? threads : 1;
#else
    (void)asked;
    return 1;
#endif
}

bool openmp_compiled() {
#if defined(_OPENMP)
    return true;
#else
    return false;
#endif
}

bool in_forked_child() { return forked.load(std::memory_order_relaxed); }

void guard_forks() {
#if defined(__unix__) || defined(__APPLE__)
    static const int registered =
        pthread_atfork(nullptr, nullptr, [] { forked.store(true, std::memory_order_relaxed); });
    (void)registered;
#endif
}

void run_parallel(int threads, void (*work)(void *, int, int), void *context) {
    if (executor) {
        Region region = {work, context, threads, current_fp_mode()};
        return executor->run(executor->context, threads, &Region::run, &region);
    }
#if defined(_OPENMP)
    using Clock = std::chrono::steady_clock;
    using Seconds = std::chrono::duration<double>;
    const FpMode mode = current_fp_mode();
    const auto start = Clock::now();
    Seconds own(0);
    int team = 1;
#pragma omp parallel num_threads(threads)
    {
        const FpMode previous = current_fp_mode();
        const int k = omp_get_thread_num(), n = omp_get_num_threads();
        set_fp_mode(mode);
        const auto begin = Clock::now();
        work(context, k, n);
        if (k == 0) {
            own = Clock::now() - begin;
            team = n;
        }
        set_fp_mode(previous);
    }
    backoff.report(own.count(), Seconds(Clock::now() - start).count(), team);
#else
    (void)threads;
    work(context, 0, 1);
#endif
}

} // namespace optcore
