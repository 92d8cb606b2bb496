#include "step.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "../rules/registry.h"
#include "cpu.h"
#include "factored.h"
#include "tiles.h"

namespace optcore {
namespace {

#include "../kernels/random.h"

constexpr double kLargestFloat = double(std::numeric_limits<float>::max());

/// The loop that a rule has for a tensor.
SweepLoop loop_of(const KernelTable &table, const Group &group, Loop loop) {
    const bool coupled = !group.decoupled && group.hyper[1] != 0;
    return table.rule[int(group.rule)].sweep[group.variant][coupled][int(loop)];
}

Loop compute_loop(const Tensor &t) { return t.dtype == Dtype::f32 ? Loop::f32 : Loop::f64; }

/// Lists what has to be done, in the order of the tensors, and makes room for it.
void list_jobs(Tensor *tensors, int64_t count, const Group *groups, const StepOptions &options,
               Workspace &work) {
    const KernelTable &table = kernels();
    const bool more = options.stats || options.zero_grads;
    int64_t blocks = 0;
    work.jobs.clear();
    work.jobs.reserve(size_t(count));
    work.blocks.clear();
    work.blocks.reserve(size_t(count));
    for (int64_t i = 0; i < count; ++i) {
        Tensor &t = tensors[i];
        const bool factored = rule_info(groups[t.group].rule).factored;
        const bool afterwards = !t.plain && (t.buffers->average || t.buffers->copy);
        if (!t.grad.data && !(afterwards && t.size > 0))
            continue;
        Job job = {&t, nullptr, -1, false, blocks, {}};
        if (factored && options.stats && t.active())
            job.before.resize(size_t(t.size * bytes_of(t.dtype)));
        if (t.grad.data && !factored) {
            job.direct = t.plain && !more && !t.grad.axes && t.grad.format == t.format;
            job.loop = loop_of(table, groups[t.group], job.direct ? t.loop : compute_loop(t));
        }
        if (options.stats && t.active())
            blocks += (t.size - 1) / kBlock + 1;
        work.jobs.push_back(std::move(job));
    }
    if (options.stats) {
        work.block_stats.assign(size_t(blocks), {});
        work.stats.assign(size_t(count), {});
    }
}

/// Works out the scalars of every tensor, updates its scalar state, and counts the step. Neighbours
/// that agree in all that decides the scalars share one block.
void prepare(const Group *groups, double factor, double clip_value, Workspace &work) {
    Powers powers;
    const Tensor *last = nullptr;
    uint64_t last_step = 0;
    double last_before = 0; // the last tensor's scalar state, as it was
    for (Job &job : work.jobs) {
        Tensor &t = *job.tensor;
        if (!t.grad.data)
            continue; // an empty tensor goes on: its step number and scalar state count steps too
        const uint64_t step = t.next_step();
        t.steps = step;
        if (!job.loop)
            continue;
        const bool same = last && last->group == t.group && last->dtype == t.dtype &&
                          last_step == step && (!t.scalars || *t.scalars == last_before);
        if (same && t.scalars) {
            *t.scalars = *last->scalars;
        } else if (!same) {
            const Group &group = groups[t.group];
            const double lr = group.hyper[0], decay = group.hyper[1];
            const StepScalars scalars = {group.maximize ? -factor : factor, clip_value, decay,
                                         group.decoupled ? 1 - lr * decay : 1};
            const RuleContext context = {
                lr, decay, group.hyper + kCommonHyperCount, step, t.scalars, t.dtype, &powers};
            last = &t;
            last_step = step;
            last_before = t.scalars ? *t.scalars : 0;
            work.blocks.emplace_back();
            rule_info(group.rule)
                .prepare(group.variant, t.dtype, context, scalars, work.blocks.back().bytes);
        }
        job.block = int(work.blocks.size()) - 1;
    }
}

void sweep_direct(const Job &job, const void *scalars, Range64 range) {
    const Tensor &t = *job.tensor;
    const int64_t at = range.begin * bytes_of(t.format), slot_at = range.begin * slot_bytes(t.loop);
    Streams s;
    s.param = static_cast<char *>(t.param) + at;
    s.grad = static_cast<char *>(t.grad.data) + at;
    for (int k = 0; k < kMaxSlots; ++k)
        s.slot[k] = t.slot[k] ? static_cast<char *>(t.slot[k]) + slot_at : nullptr;
    job.loop(scalars, &s, range.end - range.begin);
}

class Sweep {
public:
    Sweep(const StepOptions &options, Workspace &work) : options_(options), work_(work) {}

    void operator()(const Job &job, Range64 range) const {
        const void *scalars = job.block < 0 ? nullptr : work_.blocks[size_t(job.block)].bytes;
        if (job.direct)
            return sweep_direct(job, scalars, range);
        const Tensor &t = *job.tensor;
        const bool more = t.grad.data && (options_.stats || options_.zero_grads);
        if (!job.loop && t.plain && !more)
            return; // a factored rule, and nothing to do afterwards
        Buffers b = *t.buffers;
        b.average_keep = options_.average_keep;
        if (b.rounding == Rounding::stochastic)
            b.key = mixed(mixed(mixed(options_.seed) ^ t.steps) ^ t.path_hash);

        const auto tile = kernels().tile[int(t.dtype)];
        TileRange r = {};
        r.first = range.begin;
        r.n = range.end - range.begin;
        if (!t.grad.data || (!job.loop && !more))
            return tile(nullptr, nullptr, &b, r);
        r.before = job.before.empty() ? nullptr : job.before.data();
        r.stats = options_.stats ? &work_.block_stats[size_t(job.first_stats)] : nullptr;
        if (!t.grad.axes && t.grad.format != Format::long_double) {
            r.grad = static_cast<char *>(t.grad.data) + range.begin * bytes_of(t.grad.format);
            r.grad_format = t.grad.format;
            r.zero_grad = options_.zero_grads;
            return tile(job.loop, scalars, &b, r);
        }
        for_blocks(t, range, [&](int64_t at, int64_t n, const void *g, Format format) {
            r.first = at;
            r.n = n;
            r.grad = const_cast<void *>(g);
            r.grad_format = format;
            tile(job.loop, scalars, &b, r);
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
        if (t.active() && (t.grad.axes || t.grad.format == Format::long_double))
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

} // namespace

StepResult step(Tensor *tensors, int64_t count, const Group *groups, const StepOptions &options,
                Workspace &work) {
    // Everything that can fail comes first.
    StepResult result;
    FactoredPass factored(tensors, count, groups);
    list_jobs(tensors, count, groups, options, work);
    double factor = 1 / options.grad_scale;
    const auto look_for_nonfinite = [&](double norm) {
        // The norm tells whether there is anything to look for, though it may overflow on its own.
        if (!(norm <= kLargestFloat && norm / options.grad_scale <= kLargestFloat))
            result.nonfinite = first_nonfinite(tensors, count, factor);
    };
    const bool clips = !std::isnan(options.clip_norm);
    if (clips || options.refuse_nonfinite || (options.stats && options.zero_grads)) {
        const double norm = global_norm(tensors, count, options.threads, work.sums);
        result.norm = norm / options.grad_scale;
        if (options.refuse_nonfinite || options.stats)
            look_for_nonfinite(norm);
        result.stepped = !(options.refuse_nonfinite && result.nonfinite.tensor >= 0);
        if (!result.stepped)
            return result;
        if (clips)
            factor = clip_factor(result.norm, options.clip_norm) / options.grad_scale;
    }

    prepare(groups, factor, options.clip_value, work);
    if (!factored.empty()) {
        for (Job &job : work.jobs)
            if (!job.before.empty())
                std::memcpy(job.before.data(), job.tensor->param, job.before.size());
        factored.run(factor, options.clip_value, options.threads);
    }
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
        if (!options.zero_grads && result.nonfinite.tensor < 0) {
            factor = 1 / options.grad_scale;
            look_for_nonfinite(norm);
        }
    }
    if (options.zero_grads)
        clear_the_rest(work);
    return result;
}

} // namespace optcore
