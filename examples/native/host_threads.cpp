// A host with threads of its own, which it has optcore's steps run on: no other thread is started,
// and the numbers are those of optcore's own threads to the bit.
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <optcore/optcore.hpp>

namespace {

/// Threads that wait for work: each takes the pieces k = its number, + threads, + 2·threads, ...
class Pool {
public:
    explicit Pool(int threads) : threads_(threads) {
        for (int i = 1; i < threads; ++i)
            workers_.emplace_back([this, i] { work(i); });
    }
    ~Pool() {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            stop_ = true;
        }
        wake_.notify_all();
        for (std::thread &worker : workers_)
            worker.join();
    }
    Pool(const Pool &) = delete;
    Pool &operator=(const Pool &) = delete;

    int threads() const { return threads_; }
    long served() const { return served_; }

    /// Calls work(k) for every k below n, also on the calling thread; returns when all are done.
    void run(int n, const std::function<void(int)> &work) {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            task_ = &work;
            pieces_ = n;
            busy_ = threads_ - 1;
            ++round_;
            ++served_;
        }
        wake_.notify_all();
        for (int k = 0; k < n; k += threads_)
            work(k);
        std::unique_lock<std::mutex> lock(mutex_);
        done_.wait(lock, [this] { return busy_ == 0; });
    }

private:
    void work(int mine) {
        long seen = 0;
        for (;;) {
            std::unique_lock<std::mutex> lock(mutex_);
            wake_.wait(lock, [&] { return stop_ || round_ != seen; });
            if (stop_)
                return;
            seen = round_;
            const auto *task = task_;
            const int pieces = pieces_;
            lock.unlock();
            for (int k = mine; k < pieces; k += threads_)
                (*task)(k);
            lock.lock();
            if (--busy_ == 0)
                done_.notify_one();
        }
    }

    const int threads_;
    std::vector<std::thread> workers_;
    std::mutex mutex_;
    std::condition_variable wake_, done_;
    const std::function<void(int)> *task_ = nullptr;
    int pieces_ = 0, busy_ = 0;
    long round_ = 0, served_ = 0;
    bool stop_ = false;
};

/// What optcore calls; `context` is the pool.
void run_on_pool(void *context, std::int32_t n, optcore_work work, void *argument) {
    static_cast<Pool *>(context)->run(n, [=](int k) { work(argument, k); });
}

/// Ten steps over a quarter of a million numbers, on the pool or on optcore's own threads.
std::vector<float> trained(Pool *pool) {
    std::vector<float> weights(1 << 18), gradients(weights.size());
    optcore::Optimizer optimizer("adamw");
    optcore::Options options;
    options.clip_norm = 1;
    optcore_executor executor = {};
    if (pool) {
        executor.struct_size = sizeof executor;
        executor.context = pool;
        executor.threads = pool->threads();
        executor.run = run_on_pool;
        options.executor = &executor;
    }
    optimizer.set_options(options);
    optimizer.add("weights", weights.data(), {1 << 9, 1 << 9});
    for (int step = 0; step < 10; ++step) {
        for (std::size_t i = 0; i < weights.size(); ++i)
            gradients[i] = weights[i] - float(int(i % 13) - 6) / 8;
        optimizer.step({gradients.data()});
    }
    return weights;
}

} // namespace

int main() {
    try {
        Pool pool(3);
        const bool same = trained(&pool) == trained(nullptr);
        std::printf("the pool was asked %ld times; the numbers are %s\n", pool.served(),
                    same ? "the same" : "others");
        return same && pool.served() >= 10 ? 0 : 1;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
