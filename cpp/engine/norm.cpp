#include "norm.h"

#include <cmath>

#include "cpu.h"
#include "gather.h"
#include "tiles.h"

namespace optcore {

double global_norm(const Tensor *tensors, int64_t count, int threads, std::vector<double> &sums) {
    const KernelTable &table = kernels();
    const int64_t total = total_elements(tensors, count);

    // Where the sums of each tensor's blocks begin.
    std::vector<int64_t> first(count);
    int64_t blocks = 0;
    for (int64_t i = 0; i < count; ++i) {
        first[i] = blocks;
        if (tensors[i].active())
            blocks += (tensors[i].size - 1) / kBlock + 1;
    }
    sums.assign(blocks, 0.0);

    parallel(threads_for(total, threads), [&](int k, int n) {
        for_share(tensors, count, total, k, n, [&](int64_t i, Range64 range) {
            const Tensor &t = tensors[i];
            alignas(64) unsigned char dense[kBlock * sizeof(double)];
            for (int64_t at = range.begin; at < range.end; at += kBlock) {
                const int64_t n_here = at + kBlock < range.end ? kBlock : range.end - at;
                const void *x = static_cast<const char *>(t.grad.data) + at * t.item();
                if (t.grad.axes) {
                    gather(t.grad, t.dtype, at, n_here, dense);
                    x = dense;
                }
                sums[first[i] + at / kBlock] = table.sum_squares[int(t.dtype)](x, n_here);
            }
        });
    });

    double whole = 0;
    for (int64_t i = 0; i < count; ++i) {
        if (!tensors[i].active())
            continue;
        double sum = 0;
        const int64_t end = first[i] + (tensors[i].size - 1) / kBlock + 1;
        for (int64_t b = first[i]; b < end; ++b)
            sum += sums[b];
        whole += sum;
    }
    return std::sqrt(whole);
}

double clip_factor(double norm, double limit) {
    const double factor = limit / (norm + 1e-6);
    return factor > 1 || std::isinf(limit) ? 1 : factor;
}

} // namespace optcore
