// Threads: how many, when none, and how to run a piece of work on them.
#ifndef OPTCORE_ENGINE_THREADS_H
#define OPTCORE_ENGINE_THREADS_H

#include <cstdint>

namespace optcore {

/// Work on fewer elements than this is not worth waking a thread for.
constexpr int64_t kSerialBelow = 32768;

/// How many threads a step uses when it is told nothing: what set_num_threads said, else the
/// OpenMP runtime's number (OMP_NUM_THREADS, CPU affinity), held to the container's CPU quota.
int num_threads();

/// Sets that number for the process; 0 returns to the default.
void set_num_threads(int threads);

/// The threads a step over so many elements gets; `asked` is 0 for the default, which falls back to
/// one thread while others do harm (backoff.h).
int threads_for(int64_t elements, int asked);

bool openmp_compiled();
bool in_forked_child();

/// Arranges that a forked child runs serially: libgomp hangs there once it has run in the parent.
/// Called when the library is loaded.
void guard_forks();

/// Threads of the host, to be used in the place of ours. `run` calls work(argument, k) once for
/// every k in [0, n) and returns when all have returned.
struct Executor {
    void *context = nullptr;
    int threads = 1;
    void (*run)(void *context, int32_t n, void (*work)(void *argument, int32_t k),
                void *argument) = nullptr;
};

/// While it lives, the calling thread's parallel regions run on these; null: on our own.
class UseExecutor {
public:
    explicit UseExecutor(const Executor *executor);
    ~UseExecutor();
    UseExecutor(const UseExecutor &) = delete;
    UseExecutor &operator=(const UseExecutor &) = delete;

private:
    const Executor *before_;
};

/// Calls work(context, k, n) for k in [0, n) on n threads, n at most `threads`. The workers run
/// under the caller's floating-point mode (rounding, flush-to-zero). Must not throw.
void run_parallel(int threads, void (*work)(void *context, int k, int n), void *context);

/// The same for a callable f(k, n).
template <class F>
void parallel(int threads, F f) {
    if (threads <= 1)
        return f(0, 1);
    run_parallel(
        threads, [](void *context, int k, int n) { (*static_cast<F *>(context))(k, n); }, &f);
}

/// The part of [0, total) that falls to worker k of n. Exact for every total up to 2⁶³ − 1.
struct Range64 {
    int64_t begin, end;
};
inline Range64 share(int64_t total, int k, int n) {
    const int64_t each = total / n, rest = total % n;
    const int64_t begin = each * k + (k < rest ? k : rest);
    return {begin, begin + each + (k < rest ? 1 : 0)};
}

} // namespace optcore

#endif
