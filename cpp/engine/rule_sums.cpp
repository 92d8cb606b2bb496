#include "rule_sums.h"

#include <algorithm>

#include "../rules/registry.h"
#include "cpu.h"
#include "tiles.h"

namespace optcore {

namespace {

int sums_of(const Group &group) { return group.mask_update ? 1 : rule_info(group.rule).sums; }

} // namespace

RuleSums::RuleSums(const Tensor *tensors, int64_t count, const Group *groups, int64_t group_count) {
    const auto takes = [](const Group &group) { return sums_of(group) > 0; };
    if (std::none_of(groups, groups + group_count, takes))
        return; // for most rules; so small steps stay small
    const KernelTable &table = kernels();
    int64_t blocks = 0, totals = 0;
    for (int64_t i = 0; i < count; ++i) {
        const Tensor &t = tensors[i];
        const Group &group = groups[t.group];
        const RuleInfo &info = rule_info(group.rule);
        const int sums = sums_of(group);
        if (!t.active() || sums == 0)
            continue;
        if (first_.empty())
            first_.assign(size_t(count), -1);
        const RuleLoops &loops = table.rule[int(group.rule)];
        const SumLoop loop = group.mask_update
                                 ? loops.agreeing[group.variant][int(t.dtype)]
                                 : loops.sums[group.variant][decays_coupled(group)][int(t.dtype)];
        first_[size_t(i)] = totals;
        jobs_.push_back({&t, loop, sums, blocks, totals, info.global});
        totals += sums;
        blocks += ((t.size - 1) / kBlock + 1) * sums;
    }
    block_sums_.resize(size_t(blocks));
    totals_.resize(size_t(totals));
    blocks_.reserve(jobs_.size());
}

void RuleSums::run(const Group *groups, double grad_factor, double clip_value, int threads,
                   Powers &powers) noexcept {
    RuleScalars scalars_of(groups, grad_factor, clip_value, powers, blocks_);
    for (Job &job : jobs_)
        job.scalars = scalars_of(*job.tensor, job.tensor->next_step(), nullptr);

    const int64_t count = int64_t(jobs_.size());
    const int64_t total = total_elements(jobs_.data(), count);
    parallel(threads_for(total, threads), [&](int k, int n) {
        for_share(jobs_.data(), count, total, k, n, [&](int64_t i, Range64 range) {
            const Job &job = jobs_[size_t(i)];
            const Tensor &t = *job.tensor;
            for_blocks(t, range, [&](int64_t at, int64_t n_here, const void *g, Format format) {
                TileRange r = {};
                r.first = at;
                r.n = n_here;
                r.grad = const_cast<void *>(g);
                r.grad_format = format;
                kernels().tile_sums[int(t.dtype)](job.loop, job.scalars, t.buffers, r, job.count,
                                                  &block_sums_[size_t(job.blocks)]);
            });
        });
    });

    double all[kMaxSums] = {};
    for (const Job &job : jobs_) {
        double *sums = &totals_[size_t(job.total)];
        const int64_t blocks = (job.tensor->size - 1) / kBlock + 1;
        for (int64_t b = 0; b < blocks; ++b)
            for (int k = 0; k < job.count; ++k)
                sums[k] += block_sums_[size_t(job.blocks + b * job.count + k)];
        for (int k = 0; job.global && k < job.count; ++k)
            all[k] += sums[k];
    }
    for (const Job &job : jobs_)
        for (int k = 0; job.global && k < job.count; ++k)
            totals_[size_t(job.total + k)] = all[k];
}

} // namespace optcore
