#include "vectors.h"

#include <type_traits>
#include <vector>

#include "cpu.h"
#include "tensor.h"
#include "threads.h"

namespace optcore {
namespace {

int64_t blocks_of(int64_t n) { return n > 0 ? (n - 1) / kBlock + 1 : 0; }

/// Calls f(first element, elements) for the blocks of [0, n) of each thread, taken together.
template <class F>
void for_threads(int64_t n, int threads, F f) {
    parallel(threads_for(n, threads), [&](int k, int of) {
        const Range64 blocks = share(blocks_of(n), k, of);
        const int64_t first = blocks.begin * kBlock;
        const int64_t end = blocks.end == blocks_of(n) ? n : blocks.end * kBlock;
        if (first < end)
            f(first, end - first);
    });
}

template <class Void>
Void *at(Void *data, Dtype dtype, int64_t element) {
    using Byte = std::conditional_t<std::is_const_v<Void>, const char, char>;
    return static_cast<Byte *>(data) + element * bytes_of(dtype);
}

} // namespace

double dot(Dtype dtype, const void *x, const void *y, int64_t n, int threads) {
    const auto block_dot = kernels().vector[int(dtype)].dot;
    std::vector<double> sums(blocks_of(n), 0.0);
    for_threads(n, threads, [&](int64_t first, int64_t count) {
        for (int64_t i = first; i < first + count; i += kBlock) {
            const int64_t here = first + count - i < kBlock ? first + count - i : kBlock;
            sums[i / kBlock] = block_dot(at(x, dtype, i), at(y, dtype, i), here);
        }
    });
    double whole = 0;
    for (const double sum : sums)
        whole += sum;
    return whole;
}

void axpy(Dtype dtype, double a, const void *x, void *y, int64_t n, int threads) {
    const auto loop = kernels().vector[int(dtype)].axpy;
    for_threads(n, threads, [&](int64_t first, int64_t count) {
        loop(a, at(x, dtype, first), at(y, dtype, first), count);
    });
}

void scale(Dtype dtype, double a, void *x, int64_t n, int threads) {
    const auto loop = kernels().vector[int(dtype)].scale;
    for_threads(n, threads,
                [&](int64_t first, int64_t count) { loop(a, at(x, dtype, first), count); });
}

} // namespace optcore
