#include "factored.h"

#include "cpu.h"
#include "gather.h"
#include "threads.h"

namespace optcore {

FactoredPass::FactoredPass(Tensor *tensors, int64_t count, const Group *groups) : groups_(groups) {
    for (int64_t i = 0; i < count; ++i) {
        Tensor &t = tensors[i];
        const Group &g = groups[t.group];
        if (!t.active() || !t.factored)
            continue;
        RuleContext context = {};
        context.lr = g.hyper[0];
        context.weight_decay = g.hyper[1];
        context.h = g.hyper + kCommonHyperCount;
        context.t = t.next_step();
        context.dtype = t.dtype;
        jobs_.push_back({&t, AdafactorStep(context), t.grad.data});
        Job &job = jobs_.back();
        if (t.grad.axes || !same_type(t))
            job.dense_grad.resize(t.size * bytes_of(t.dtype));
        job.is_matrix() ? add_matrix(job) : add_vector(job);
        elements_ += t.size;
    }
}

void FactoredPass::add_matrix(Job &job) {
    const MatrixShape &m = *job.tensor->matrix;
    const int64_t index = int64_t(jobs_.size()) - 1;
    job.row_tiles = (m.rows - 1) / kFactoredRows + 1;
    job.col_tiles = (m.cols - 1) / kFactoredCols + 1;
    job.row_sums.resize(m.batch * m.rows * job.col_tiles);
    job.row_p.resize(m.batch * m.rows * job.col_tiles);
    job.col_sums.resize(m.batch * job.row_tiles * m.cols);
    job.row_factor.resize(m.batch * m.rows * bytes_of(job.tensor->dtype));
    job.col_factor.resize(m.batch * m.cols * bytes_of(job.tensor->dtype));
    for (int64_t b = 0; b < m.batch; ++b)
        for (int64_t i = 0; i < m.rows; i += kFactoredRows)
            for (int64_t j = 0; j < m.cols; j += kFactoredCols)
                tiles_.push_back({index, b, i, j,
                                  m.rows - i < kFactoredRows ? m.rows - i : kFactoredRows,
                                  m.cols - j < kFactoredCols ? m.cols - j : kFactoredCols});
}

void FactoredPass::add_vector(Job &job) {
    const int64_t index = int64_t(jobs_.size()) - 1, n = job.tensor->size;
    const int64_t blocks = (n - 1) / kBlock + 1;
    job.row_sums.resize(blocks);
    job.row_p.resize(blocks);
    for (int64_t at = 0; at < n; at += kBlock)
        tiles_.push_back({index, 0, 0, at, 1, n - at < kBlock ? n - at : kBlock});
}

namespace {

template <class T>
void round_scalars(Scalars<T, AdafactorScalars<T>> &out, const AdafactorStep &s, double grad_scale,
                   double clip_value) {
    out.common = {T(grad_scale), T(clip_value), T(0), T(s.keep), T(0)};
    out.rule = {T(s.keep_old), T(s.take_new), T(s.added), T(s.floor_v)};
}

double sum_in_order(const std::vector<double> &sums) {
    double sum = 0;
    for (double x : sums)
        sum += x;
    return sum;
}

} // namespace

void FactoredPass::run(double clip_factor, double clip_value, int threads) noexcept {
    const KernelTable &table = kernels();
    const int n_threads = threads_for(elements_, threads);

    for (Job &job : jobs_) {
        const Group &g = groups_[job.tensor->group];
        const double scale = g.maximize ? -clip_factor : clip_factor;
        round_scalars(job.scalars_f32, job.step, scale, clip_value);
        round_scalars(job.scalars_f64, job.step, scale, clip_value);
        if (!job.dense_grad.empty()) {
            gather(job.tensor->grad, job.tensor->dtype, 0, job.tensor->size, job.dense_grad.data());
            job.grad = job.dense_grad.data();
        }
    }

    const auto each_tile = [&](auto f) {
        parallel(n_threads, [&](int k, int n) {
            const Range64 mine = share(int64_t(tiles_.size()), k, n);
            for (int64_t i = mine.begin; i < mine.end; ++i) {
                const Tile &tile = tiles_[i];
                Job &job = jobs_[tile.job];
                const Tensor &t = *job.tensor;
                const MatrixShape &m = *t.matrix;
                const int64_t item = bytes_of(t.dtype);
                const int64_t at = ((tile.matrix * m.rows + tile.row) * m.cols + tile.col) * item;
                FactoredStreams s = {static_cast<char *>(t.param) + at,
                                     static_cast<const char *>(job.grad) + at, nullptr, nullptr,
                                     nullptr};
                if (job.is_matrix()) {
                    s.row = job.row_factor.data() + (tile.matrix * m.rows + tile.row) * item;
                    s.col = job.col_factor.data() + (tile.matrix * m.cols + tile.col) * item;
                } else {
                    s.variance = static_cast<char *>(t.slot[0]) + at;
                }
                f(tile, job, table.factored[int(t.dtype)], s,
                  MatrixTile{tile.rows, tile.cols, m.cols});
            }
        });
    };
    const auto row_sum_index = [](const Tile &tile, const Job &job) {
        return (tile.matrix * job.tensor->matrix->rows + tile.row) * job.col_tiles +
               tile.col / kFactoredCols;
    };

    each_tile([&](const Tile &tile, Job &job, const FactoredLoops &loops, const FactoredStreams &s,
                  MatrixTile shape) {
        if (job.is_matrix()) {
            const int64_t at = row_sum_index(tile, job);
            const int64_t col_at = (tile.matrix * job.row_tiles + tile.row / kFactoredRows) *
                                       job.tensor->matrix->cols +
                                   tile.col;
            loops.stats(job.scalars(), &s, shape, &job.row_sums[at], &job.row_p[at], job.col_tiles,
                        &job.col_sums[col_at]);
        } else {
            const int64_t at = tile.col / kBlock;
            loops.vector_sums(job.scalars(), &s, tile.cols, &job.row_p[at], &job.row_sums[at]);
        }
    });
    for (Job &job : jobs_)
        if (job.is_matrix())
            fold(job);
    each_tile([&](const Tile &tile, Job &job, const FactoredLoops &loops, const FactoredStreams &s,
                  MatrixTile shape) {
        if (job.is_matrix())
            loops.update_sums(job.scalars(), &s, shape, &job.row_sums[row_sum_index(tile, job)],
                              job.col_tiles);
    });
    for (Job &job : jobs_)
        rate(job);
    each_tile([&](const Tile &tile, Job &job, const FactoredLoops &loops, const FactoredStreams &s,
                  MatrixTile shape) {
        if (job.is_matrix())
            loops.apply(job.scalars(), &s, shape);
        else
            loops.vector_apply(job.scalars(), &s, tile.cols);
    });
}

/// Folds the sums into the caller's factors, and readies the factors that the update multiplies.
template <class T>
void FactoredPass::fold_matrix(Job &job) noexcept {
    const MatrixShape &m = *job.tensor->matrix;
    // In memory order; the slots are named by the matrix, whose rows may be memory's columns.
    T *along_rows = static_cast<T *>(job.tensor->slot[m.transposed ? 1 : 0]);
    T *along_cols = static_cast<T *>(job.tensor->slot[m.transposed ? 0 : 1]);
    T *row_factor = reinterpret_cast<T *>(job.row_factor.data());
    T *col_factor = reinterpret_cast<T *>(job.col_factor.data());

    for (int64_t b = 0; b < m.batch; ++b) {
        for (int64_t i = b * m.rows; i < (b + 1) * m.rows; ++i) {
            double sum = 0;
            for (int64_t c = 0; c < job.col_tiles; ++c)
                sum += job.row_sums[i * job.col_tiles + c];
            along_rows[i] = T(job.step.factor(double(along_rows[i]), sum / double(m.cols)));
            row_factor[i] = along_rows[i];
        }
        for (int64_t j = 0; j < m.cols; ++j) {
            double sum = 0;
            for (int64_t r = 0; r < job.row_tiles; ++r)
                sum += job.col_sums[(b * job.row_tiles + r) * m.cols + j];
            T &factor = along_cols[b * m.cols + j];
            factor = T(job.step.factor(double(factor), sum / double(m.rows)));
            col_factor[b * m.cols + j] = factor;
        }
        // The mean is that of the matrix's own rows, and divides their factors.
        T *factor = m.transposed ? col_factor + b * m.cols : row_factor + b * m.rows;
        const int64_t n = m.transposed ? m.cols : m.rows;
        double sum = 0;
        for (int64_t i = 0; i < n; ++i)
            sum += double(factor[i]);
        const double divisor = job.step.divisor(sum / double(n));
        for (int64_t i = 0; i < n; ++i)
            factor[i] = T(double(factor[i]) / divisor);
    }
}

void FactoredPass::fold(Job &job) noexcept {
    job.tensor->dtype == Dtype::f32 ? fold_matrix<float>(job) : fold_matrix<double>(job);
}

void FactoredPass::rate(Job &job) noexcept {
    const double rate = job.step.rate(sum_in_order(job.row_p), sum_in_order(job.row_sums),
                                      double(job.tensor->size));
    job.scalars_f32.common.rate = float(rate);
    job.scalars_f64.common.rate = rate;
}

} // namespace optcore
