#include "step.h"

#include <cmath>

#include "../rules/registry.h"
#include "cpu.h"
#include "factored.h"
#include "gather.h"
#include "norm.h"
#include "tiles.h"

namespace optcore {
namespace {

RuleContext context_of(const Tensor &t, const Group &group) {
    return {group.hyper[0], group.hyper[1], group.hyper + kCommonHyperCount,
            t.next_step(),  t.scalars,      t.dtype};
}

/// Works out the scalars of every tensor, and updates its scalar state. Neighbours that agree in
/// all that decides them share one block.
void prepare(const Tensor *tensors, int64_t count, const Group *groups, double clip_factor,
             double clip_value, Workspace &work) {
    const Tensor *last = nullptr;
    double last_before = 0; // the last tensor's scalar state, as it was
    work.blocks.clear();
    for (int64_t i = 0; i < count; ++i) {
        const Tensor &t = tensors[i];
        if (!t.grad.data)
            continue; // an empty tensor goes on: its scalar state counts steps too
        const Group &group = groups[t.group];
        const RuleInfo &info = rule_info(group.rule);
        if (info.factored)
            continue;
        const bool same = last && last->group == t.group && last->dtype == t.dtype &&
                          last->steps == t.steps && (!t.scalars || *t.scalars == last_before);
        if (same && t.scalars) {
            *t.scalars = *last->scalars;
        } else if (!same) {
            const double decay = group.hyper[1];
            const StepScalars scalars = {group.maximize ? -clip_factor : clip_factor, clip_value,
                                         decay, group.decoupled ? 1 - group.hyper[0] * decay : 1};
            last = &t;
            last_before = t.scalars ? *t.scalars : 0;
            work.blocks.emplace_back();
            info.prepare(group.variant, t.dtype, context_of(t, group), scalars,
                         work.blocks.back().bytes);
        }
        work.block_of[i] = int(work.blocks.size()) - 1;
    }
}

Streams from(const Tensor &t, int64_t at, const void *grad) {
    const int64_t bytes = at * t.item();
    Streams s = {static_cast<char *>(t.param) + bytes, grad, {}};
    for (int k = 0; k < kMaxSlots; ++k)
        s.slot[k] = t.slot[k] ? static_cast<char *>(t.slot[k]) + bytes : nullptr;
    return s;
}

void sweep(const Tensor &t, SweepLoop loop, const void *scalars, Range64 range) {
    if (!t.grad.axes) { // straight through
        const Streams s =
            from(t, range.begin, static_cast<const char *>(t.grad.data) + range.begin * t.item());
        return loop(scalars, &s, range.end - range.begin);
    }
    alignas(64) unsigned char dense[kBlock * sizeof(double)];
    for (int64_t at = range.begin; at < range.end; at += kBlock) {
        const int64_t n = at + kBlock < range.end ? kBlock : range.end - at;
        gather(t.grad, t.dtype, at, n, dense);
        const Streams s = from(t, at, dense);
        loop(scalars, &s, n);
    }
}

SweepLoop loop_of(const KernelTable &table, const Tensor &t, const Group &group) {
    const bool coupled = !group.decoupled && group.hyper[1] != 0;
    return table.rule[int(group.rule)].sweep[group.variant][coupled][int(t.dtype)];
}

} // namespace

double step(Tensor *tensors, int64_t count, const Group *groups, const StepOptions &options,
            Workspace &work) {
    const KernelTable &table = kernels();

    // Everything that can fail comes first.
    FactoredPass factored(tensors, count, groups);
    work.block_of.assign(count, -1);
    work.blocks.reserve(count);
    double norm = std::nan(""), factor = 1;
    if (!std::isnan(options.clip_norm)) {
        norm = global_norm(tensors, count, options.threads, work.sums);
        factor = clip_factor(norm, options.clip_norm);
    }

    prepare(tensors, count, groups, factor, options.clip_value, work);
    const int64_t total = total_elements(tensors, count);
    parallel(threads_for(total, options.threads), [&](int k, int n) {
        for_share(tensors, count, total, k, n, [&](int64_t i, Range64 range) {
            if (work.block_of[i] < 0)
                return; // a factored rule
            const Tensor &t = tensors[i];
            sweep(t, loop_of(table, t, groups[t.group]), work.blocks[work.block_of[i]].bytes,
                  range);
        });
    });
    if (!factored.empty())
        factored.run(factor, options.clip_value, options.threads);

    for (int64_t i = 0; i < count; ++i)
        if (tensors[i].grad.data)
            tensors[i].steps = tensors[i].next_step();
    return norm;
}

} // namespace optcore
