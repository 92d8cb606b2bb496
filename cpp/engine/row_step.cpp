#include "row_step.h"

#include "../rules/registry.h"

#include "cpu.h"
#include "tiles.h"

namespace optcore {
namespace {

/// Rows that are asked for ahead of time: they lie anywhere, so no prefetcher finds them.
constexpr int64_t kAhead = 8;

void prefetch(const void *buffer, int64_t at, int64_t bytes) {
#if defined(__GNUC__) || defined(__clang__)
    // Line by line, the last one too, though the row may begin in the middle of its first.
    const char *p = static_cast<const char *>(buffer) + at;
    const char *end = p + (bytes < 1024 ? bytes : 1024);
    for (p -= reinterpret_cast<uintptr_t>(p) % 64; p < end; p += 64)
        __builtin_prefetch(p, 0, 3);
#else
    (void)buffer, (void)at, (void)bytes;
#endif
}

/// A run of rows that follow on from each other, as compact elements [first, first + n).
class RowStep {
public:
    explicit RowStep(const RowJob &job)
        : job_(job), t_(*job.tensor), width_(job.width()),
          as_it_lies_(!t_.grad.axes &&
                      (same_type(t_) || (!job.rowwise && bytes_of(t_.grad.format) == 2))) {}

    void operator()(Range64 elements) const {
        // The rows that begin among these elements.
        const int64_t begin = (elements.begin + width_ - 1) / width_;
        const int64_t end = (elements.end + width_ - 1) / width_;
        int64_t asked = begin;
        for (int64_t u = begin, next; u < end; u = next) {
            next = run_end(u, end);
            if (job_.rows())
                for (; asked < end && asked < next + kAhead; ++asked)
                    ask(asked);
            job_.rowwise ? step_one(u) : step_run(u, next);
        }
    }

private:
    struct Piece {
        const void *data;
        Format format;
    };

    void ask(int64_t u) const {
        const int64_t first = job_.row(u) * width_;
        const Buffers &b = job_.buffers;
        prefetch(b.param, first * bytes_of(t_.format), width_ * bytes_of(t_.format));
        for (int k = 0; k < b.slots; ++k) {
            const int64_t item = bytes_of(b.slot_format[k]);
            prefetch(b.slot[k], first * item, width_ * item);
        }
        if (!t_.grad.axes) {
            const int64_t row_bytes = width_ * bytes_of(t_.grad.format);
            prefetch(t_.grad.data, job_.rows()->place(u) * row_bytes, row_bytes);
        }
    }

    /// The end of the run that begins at u: neighbours in memory, a block at most or one row.
    int64_t run_end(int64_t u, int64_t end) const {
        if (job_.rowwise)
            return u + 1;
        const int64_t most = u + kBlock / width_;
        int64_t next = u + 1;
        while (next < end && next < most && job_.row(next) == job_.row(next - 1) + 1)
            ++next;
        return next;
    }

    /// Where the gradient of rows [u, next) lies densely as it is, or -1.
    int64_t place_of(int64_t u, int64_t next) const {
        const RowSet *rows = job_.rows();
        if (!as_it_lies_ || !rows)
            return as_it_lies_ ? u : -1;
        for (int64_t v = u; v < next; ++v)
            if (!rows->named_once(v) || rows->place(v) != rows->place(u) + (v - u))
                return -1;
        return rows->place(u);
    }

    /// Calls f(first element in the parameter, elements, gradient there) for pieces of rows
    /// [u, next), a block at most each.
    template <class F>
    void for_pieces(int64_t u, int64_t next, F f) const {
        const int64_t all = (next - u) * width_, first = job_.row(u) * width_;
        const int64_t place = place_of(u, next);
        for (int64_t at = 0; at < all; at += kBlock) {
            const int64_t n = at + kBlock < all ? kBlock : all - at;
            if (place >= 0) {
                const char *grad = static_cast<const char *>(t_.grad.data) +
                                   (place * width_ + at) * bytes_of(t_.grad.format);
                f(first + at, n, Piece{grad, t_.grad.format});
            } else {
                gather(t_.grad, t_.dtype, u * width_ + at, n, room_);
                f(first + at, n, Piece{room_, t_.dtype == Dtype::f32 ? Format::f32 : Format::f64});
            }
        }
    }

    void step_run(int64_t u, int64_t next) const {
        for_pieces(u, next, [&](int64_t at, int64_t n, Piece g) {
            if (job_.direct && g.format == t_.format) {
                Streams s = {static_cast<char *>(t_.param) + at * bytes_of(t_.format), g.data, {}};
                for (int k = 0; k < job_.buffers.slots; ++k)
                    s.slot[k] = static_cast<char *>(t_.slot[k]) + at * slot_bytes(t_.loop);
                return job_.direct(job_.scalars, &s, n);
            }
            TileRange r = {};
            r.first = at;
            r.n = n;
            r.grad = const_cast<void *>(g.data);
            r.grad_format = g.format;
            kernels().tile[int(t_.dtype)](job_.loop, job_.scalars, &job_.buffers, r);
        });
    }

    /// A row-wise rule needs the mean of a whole row first.
    void step_one(int64_t u) const {
        const int64_t item = bytes_of(t_.dtype), row = job_.row(u);
        void *slot = static_cast<char *>(t_.slot[0]) + row * item;
        char *param = static_cast<char *>(t_.param);
        const RowwiseLoops &loops = *job_.rowwise;
        if (width_ <= kBlock)
            return for_pieces(u, u + 1, [&](int64_t at, int64_t n, Piece g) {
                const double sum = loops.sum(job_.scalars, param + at * item, g.data, n);
                loops.grow(job_.scalars, slot, sum / double(n));
                loops.apply(job_.scalars, param + at * item, g.data, slot, n);
                copy(at, n);
            });
        double sum = 0;
        for_pieces(u, u + 1, [&](int64_t at, int64_t n, Piece g) {
            sum += loops.sum(job_.scalars, param + at * item, g.data, n);
        });
        loops.grow(job_.scalars, slot, sum / double(width_));
        for_pieces(u, u + 1, [&](int64_t at, int64_t n, Piece g) {
            loops.apply(job_.scalars, param + at * item, g.data, slot, n);
            copy(at, n);
        });
    }

    /// The 16-bit copy of named rows; that of a dense step follows in the sweep.
    void copy(int64_t at, int64_t n) const {
        if (!job_.buffers.copy || !job_.rows())
            return;
        TileRange r = {};
        r.first = at;
        r.n = n;
        kernels().tile[int(t_.dtype)](nullptr, nullptr, &job_.buffers, r);
    }

    const RowJob &job_;
    const Tensor &t_;
    int64_t width_;
    bool as_it_lies_;
    alignas(64) mutable unsigned char room_[size_t(kBlock) * sizeof(double)]; ///< for summed rows
};

} // namespace

NoRows why_no_rows(const Group &group, const Buffers &buffers) {
    const RuleInfo &info = rule_info(group.rule);
    if (info.factored || info.global || info.sums > 0)
        return NoRows::whole;
    if (group.mask_update)
        return NoRows::masked;
    for (int k = 0; k < buffers.slots; ++k)
        if (buffers.slot_format[k] == Format::code8 ||
            buffers.slot_format[k] == Format::signed_code8)
            return NoRows::codes;
    return NoRows::none;
}

void step_rows(const std::vector<RowJob> &jobs, int threads) noexcept {
    const int64_t count = int64_t(jobs.size()), total = total_elements(jobs.data(), count);
    parallel(threads_for(total, threads), [&](int k, int n) {
        for_share(jobs.data(), count, total, k, n, [&](int64_t i, Range64 range) {
            const RowStep step(jobs[size_t(i)]);
            step(range);
        });
    });
}

void clear_rows(const std::vector<RowJob> &jobs) noexcept {
    for (const RowJob &job : jobs)
        if (const RowSet *rows = job.rows())
            if (rows->elements() > 0)
                clear(job.tensor->grad, 0, rows->places() * rows->width());
}

} // namespace optcore
