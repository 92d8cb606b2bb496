#include "step.h"

#include <cmath>
#include <cstring>

#include "../rules/registry.h"
#include "cpu.h"
#include "factored.h"
#include "rule_sums.h"
#include "tiles.h"

namespace optcore {
namespace {

#include "../kernels/random.h"

constexpr double kLargestFloat = double(std::numeric_limits<float>::max());

SweepLoop loop_of(const RuleLoops &loops, const Group &group, Loop loop) {
    if (group.masked())
        return loops.masked[group.variant][loop == Loop::f64];
    return loops.sweep[group.variant][decays_coupled(group)][int(loop)];
}

/// Makes room for what the step notes down. All that can fail happens here.
void make_room(const Tensor *tensors, int64_t count, const StepOptions &options, Workspace &work) {
    work.jobs.clear();
    work.jobs.reserve(size_t(count));
    work.row_jobs.clear();
    work.row_jobs.reserve(size_t(count));
    work.blocks.clear();
    work.blocks.reserve(size_t(count));
    work.before.clear();
    if (!options.stats)
        return;
    int64_t blocks = 0;
    for (int64_t i = 0; i < count; ++i) {
        const Tensor &t = tensors[i];
        if (t.active())
            blocks += (t.size - 1) / kBlock + 1;
        if (t.active() && t.own_pass())
            work.before.emplace_back(size_t(t.size * bytes_of(t.dtype)));
    }
    work.block_stats.assign(size_t(blocks), {});
    work.stats.assign(size_t(count), {});
}

/// The buffers of a tensor, with what changes from step to step.
Buffers buffers_of(const Tensor &t, const StepOptions &options) {
    Buffers b = *t.buffers;
    b.average_keep = options.average_keep;
    if (b.rounding == Rounding::stochastic)
        b.key = mixed(mixed(mixed(options.seed) ^ t.steps) ^ t.path_hash);
    return b;
}

/// What is to be done to named rows, or by a row-wise rule.
RowJob row_job(const Tensor &t, const Group &group, const StepOptions &options,
               const void *scalars) {
    const RuleLoops &loops = kernels().rule[int(group.rule)];
    const Loop computing = t.dtype == Dtype::f32 ? Loop::f32 : Loop::f64;
    RowJob job;
    job.tensor = &t;
    job.scalars = scalars;
    job.buffers = buffers_of(t, options);
    job.buffers.average = nullptr;
    if (t.rowwise) {
        job.rowwise = &loops.rowwise[decays_coupled(group)][int(t.dtype)];
        return job;
    }
    job.loop = loop_of(loops, group, computing);
    if (t.plain && !(group.masked() && t.loop != computing))
        job.direct = loop_of(loops, group, t.loop);
    return job;
}

/// Lists what has to be done, in the order of the tensors, and counts the step.
void prepare(Tensor *tensors, int64_t count, const Group *groups, const RuleSums &sums,
             double factor, const StepOptions &options, Workspace &work) {
    const KernelTable &table = kernels();
    const bool more = options.stats || options.zero_grads;
    RuleScalars scalars_of(groups, factor, options.clip_value, work.powers, work.blocks);
    const Tensor *leader = nullptr; // of the tensors whose rule is global
    int64_t stats_blocks = 0;
    for (int64_t i = 0; i < count; ++i) {
        Tensor &t = tensors[i];
        const bool has_grad = t.grad.data, by_rows = t.grad.rows;
        const bool afterwards = !t.plain && (t.buffers->average || (t.buffers->copy && !by_rows));
        if (has_grad)
            t.steps = t.next_step(); // of an empty tensor as well
        if (by_rows || (t.rowwise && t.active())) {
            const void *scalars = scalars_of(t, t.steps, nullptr);
            scalars_of.update(t);
            work.row_jobs.push_back(row_job(t, groups[t.group], options, scalars));
        }
        const bool dense = has_grad && !by_rows;
        if (dense ? t.own_pass() && t.plain && !more : !afterwards || t.size == 0)
            continue;
        work.jobs.emplace_back();
        Job &job = work.jobs.back();
        job.tensor = &t;
        if (!dense)
            continue; // its average goes on all the same
        job.first_stats = stats_blocks;
        if (options.stats && t.size > 0)
            stats_blocks += (t.size - 1) / kBlock + 1;
        if (t.own_pass())
            continue;
        const Group &group = groups[t.group];
        const Loop computing = t.dtype == Dtype::f32 ? Loop::f32 : Loop::f64;
        job.direct = t.plain && !more && !t.grad.axes && t.grad.format == t.format &&
                     !(group.masked() && t.loop != computing);
        job.loop = loop_of(table.rule[int(group.rule)], group, job.direct ? t.loop : computing);
        job.scalars = scalars_of(t, t.steps, sums.of(i));
        scalars_of.update(t);
        if (!leader && sums.of(i) && rule_info(group.rule).global)
            leader = &t;
    }
    // What a global rule learns holds for tensors without a gradient as well.
    for (int64_t i = 0; leader && i < count; ++i) {
        KeptScalars learned;
        learned.read(*leader);
        if (!tensors[i].active())
            learned.write(tensors[i]);
    }
}

/// Keeps the parameters of rules with a pass of their own as they are now, for the statistics.
void keep_before(Workspace &work) {
    auto before = work.before.begin();
    for (Job &job : work.jobs)
        if (job.tensor->own_pass() && job.tensor->active() && before != work.before.end()) {
            std::memcpy(before->data(), job.tensor->param, before->size());
            job.before = (before++)->data();
        }
}

void sweep_direct(const Job &job, Range64 range) {
    const Tensor &t = *job.tensor;
    const int64_t at = range.begin * bytes_of(t.format), slot_at = range.begin * slot_bytes(t.loop);
    Streams s;
    s.param = static_cast<char *>(t.param) + at;
    s.grad = static_cast<char *>(t.grad.data) + at;
    for (int k = 0; k < kMaxSlots; ++k)
        s.slot[k] = t.slot[k] ? static_cast<char *>(t.slot[k]) + slot_at : nullptr;
    job.loop(job.scalars, &s, range.end - range.begin);
}

class Sweep {
public:
    Sweep(const StepOptions &options, Workspace &work) : options_(options), work_(work) {}

    void operator()(const Job &job, Range64 range) const {
        if (job.direct)
            return sweep_direct(job, range);
        const Tensor &t = *job.tensor;
        const Buffers b = buffers_of(t, options_);

        const auto tile = kernels().tile[int(t.dtype)];
        TileRange r = {};
        r.first = range.begin;
        r.n = range.end - range.begin;
        if (!t.grad.data || t.grad.rows || (!job.loop && !options_.stats && !options_.zero_grads))
            return tile(nullptr, nullptr, &b, r);
        r.before = job.before;
        r.stats = options_.stats ? &work_.block_stats[size_t(job.first_stats)] : nullptr;
        if (!t.grad.axes && t.grad.format != Format::long_double) {
            r.grad = static_cast<char *>(t.grad.data) + range.begin * bytes_of(t.grad.format);
            r.grad_format = t.grad.format;
            r.zero_grad = options_.zero_grads;
            return tile(job.loop, job.scalars, &b, r);
        }
        for_blocks(t, range, [&](int64_t at, int64_t n, const void *g, Format format) {
            r.first = at;
            r.n = n;
            r.grad = const_cast<void *>(g);
            r.grad_format = format;
            tile(job.loop, job.scalars, &b, r);
        });
    }

private:
    const StepOptions &options_;
    Workspace &work_;
};

/// Zeros where the sweep did not write them: another thread might still have been reading a
/// gradient that is not laid out as its parameter.
void clear_the_rest(const Workspace &work) {
    for (const Job &job : work.jobs) {
        const Tensor &t = *job.tensor;
        if (t.active() && !t.grad.rows && (t.grad.axes || t.grad.format == Format::long_double))
            clear(t.grad, 0, t.size);
    }
}

/// Adds up the blocks of every tensor, in order; returns Σg² over all of them.
double fold_stats(const Tensor *tensors, Workspace &work) {
    double whole = 0;
    for (const Job &job : work.jobs) {
        if (!job.tensor->active())
            continue;
        TensorStats &sum = work.stats[size_t(job.tensor - tensors)];
        const int64_t blocks = (job.tensor->size - 1) / kBlock + 1;
        for (int64_t b = job.first_stats; b < job.first_stats + blocks; ++b) {
            const BlockStats &block = work.block_stats[size_t(b)];
            sum.grad_squares += block.grad_squares;
            sum.update_squares += block.update_squares;
            sum.param_squares += block.param_squares;
            if (!(block.largest_update <= sum.largest_update))
                sum.largest_update = block.largest_update;
        }
        whole += sum.grad_squares;
    }
    return whole;
}

/// Where the gradients stop being finite. Their norm tells whether there is anything to look for,
/// though it may overflow on its own; half the range, as the factor and products with it are
/// rounded.
Nonfinite nonfinite_of(const Tensor *tensors, int64_t count, double norm, double grad_scale) {
    const double most = kLargestFloat / 2, factor = 1 / grad_scale;
    if (norm <= most && norm / grad_scale <= most && factor <= most)
        return {};
    return first_nonfinite(tensors, count, factor);
}

} // namespace

Examined examine(const Tensor *tensors, int64_t count, const StepOptions &options, bool now,
                 Workspace &work) {
    Examined seen;
    StepResult &result = seen.result;
    seen.factor = 1 / options.grad_scale;
    const bool clips = !std::isnan(options.clip_norm);
    if (!clips && !options.refuse_nonfinite && !(options.stats && now))
        return seen;
    const double norm = global_norm(tensors, count, options.threads, work.sums);
    result.norm = norm / options.grad_scale;
    if (options.refuse_nonfinite || options.stats)
        result.nonfinite = nonfinite_of(tensors, count, norm, options.grad_scale);
    result.stepped = !(options.refuse_nonfinite && result.nonfinite.tensor >= 0);
    if (result.stepped && clips)
        seen.factor = clip_factor(result.norm, options.clip_norm) / options.grad_scale;
    if (std::isnan(seen.factor)) // of no payload, that bfloat16 may not round to something else
        seen.factor = std::numeric_limits<double>::quiet_NaN();
    return seen;
}

StepResult step(Tensor *tensors, int64_t count, const Group *groups, int64_t group_count,
                const StepOptions &options, Workspace &work) {
    // Everything that can fail comes first.
    FactoredPass factored(tensors, count, groups);
    RuleSums sums(tensors, count, groups, group_count);
    make_room(tensors, count, options, work);
    const Examined seen = examine(tensors, count, options, options.zero_grads, work);
    StepResult result = seen.result;
    if (!result.stepped)
        return result;
    const double factor = seen.factor;

    if (!sums.empty())
        sums.run(groups, factor, options.clip_value, options.threads, work.powers);
    prepare(tensors, count, groups, sums, factor, options, work);
    keep_before(work);
    if (!factored.empty())
        factored.run(factor, options.clip_value, options.threads);
    if (!work.row_jobs.empty())
        step_rows(work.row_jobs, options.threads);
    const Sweep sweep(options, work);
    const Job *jobs = work.jobs.data();
    const int64_t job_count = int64_t(work.jobs.size());
    const int64_t total = total_elements(jobs, job_count);
    parallel(threads_for(total, options.threads), [&](int k, int n) {
        for_share(jobs, job_count, total, k, n,
                  [&](int64_t i, Range64 range) { sweep(jobs[i], range); });
    });
    if (options.stats) {
        const double norm = std::sqrt(fold_stats(tensors, work));
        result.norm = norm / options.grad_scale;
        if (!options.zero_grads && result.nonfinite.tensor < 0)
            result.nonfinite = nonfinite_of(tensors, count, norm, options.grad_scale);
    }
    if (options.zero_grads)
        clear_the_rest(work), clear_rows(work.row_jobs);
    return result;
}

} // namespace optcore
