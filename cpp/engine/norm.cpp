#include "norm.h"

#include <cmath>

#include "cpu.h"
#include "tiles.h"

namespace optcore {
namespace {

template <class T>
int64_t nonfinite_in(const T *g, int64_t n, T factor) {
    for (int64_t i = 0; i < n; ++i)
        if (!std::isfinite(g[i] * factor))
            return i;
    return -1;
}

} // namespace

double global_norm(const Tensor *tensors, int64_t count, int threads, std::vector<double> &sums) {
    const KernelTable &table = kernels();
    const int64_t total = total_elements(tensors, count);

    // Where the sums of each tensor's blocks begin.
    std::vector<int64_t> first(count);
    int64_t blocks = 0;
    for (int64_t i = 0; i < count; ++i) {
        first[i] = blocks;
        if (tensors[i].active())
            blocks += (tensors[i].elements() - 1) / kBlock + 1;
    }
    sums.assign(blocks, 0.0);

    parallel(threads_for(total, threads), [&](int k, int n) {
        for_share(tensors, count, total, k, n, [&](int64_t i, Range64 range) {
            const Tensor &t = tensors[i];
            for_blocks(t, range, [&](int64_t at, int64_t n_here, const void *x, Format format) {
                sums[first[i] + at / kBlock] = table.sum_squares[int(format)](x, n_here);
            });
        });
    });

    double whole = 0;
    for (int64_t i = 0; i < count; ++i) {
        if (!tensors[i].active())
            continue;
        double sum = 0;
        const int64_t end = first[i] + (tensors[i].elements() - 1) / kBlock + 1;
        for (int64_t b = first[i]; b < end; ++b)
            sum += sums[b];
        whole += sum;
    }
    return std::sqrt(whole);
}

Nonfinite first_nonfinite(const Tensor *tensors, int64_t count, double factor) {
    for (int64_t i = 0; i < count; ++i) {
        const Tensor &t = tensors[i];
        if (!t.active())
            continue;
        int64_t found = -1;
        for_blocks(t, {0, t.elements()}, [&](int64_t at, int64_t n, const void *x, Format format) {
            if (found >= 0)
                return;
            alignas(64) unsigned char wide[kBlock * sizeof(double)];
            if (bytes_of(format) == 2) {
                gather({const_cast<void *>(x), nullptr, 0, format}, t.dtype, 0, n, wide);
                x = wide;
            }
            const int64_t at_here =
                t.dtype == Dtype::f32
                    ? nonfinite_in(static_cast<const float *>(x), n, float(factor))
                    : nonfinite_in(static_cast<const double *>(x), n, factor);
            if (at_here >= 0)
                found = at + at_here;
        });
        if (found >= 0)
            return {i, t.grad.rows ? t.grad.rows->element(found) : found};
    }
    return {};
}

double clip_factor(double norm, double limit) {
    const double factor = limit / (norm + 1e-6);
    return factor > 1 || std::isinf(limit) ? 1 : factor;
}

} // namespace optcore
