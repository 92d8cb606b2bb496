#include "rule_scalars.h"

#include <algorithm>

namespace optcore {

void KeptScalars::read(const Tensor &t) {
    for (int k = 0; k < kMaxScalars; ++k)
        value[k] = t.scalar[k] ? *t.scalar[k] : 0;
}

void KeptScalars::write(const Tensor &t) const {
    for (int k = 0; k < kMaxScalars; ++k)
        if (t.scalar[k])
            *t.scalar[k] = value[k];
}

bool KeptScalars::operator==(const KeptScalars &other) const {
    return std::equal(value, value + kMaxScalars, other.value);
}

const void *RuleScalars::operator()(const Tensor &t, uint64_t step, const double *sums) {
    const bool alike = t.group == group_ && t.dtype == dtype_ && step == step_ && !sums && !sums_;
    if (alike && !t.scalar[0]) // most rules keep no scalars
        return blocks_.back().bytes;
    KeptScalars before;
    before.read(t);
    if (alike && before == before_)
        return blocks_.back().bytes;
    group_ = t.group;
    dtype_ = t.dtype;
    step_ = step;
    sums_ = sums;
    before_ = after_ = before;
    const Group &group = groups_[t.group];
    const RuleInfo &info = rule_info(group.rule);
    const double lr = group.hyper[0], decay = group.hyper[1];
    const StepScalars scalars = {group.maximize ? -grad_factor_ : grad_factor_,
                                 clip_value_,
                                 group.decoupled || info.own_decay ? 0 : decay,
                                 group.decoupled ? 1 - lr * decay : 1,
                                 group.masked(),
                                 group.mask_update,
                                 group.mask_decay};
    const RuleContext context = {lr,
                                 info.own_decay && group.decoupled ? 0 : decay,
                                 group.hyper + kCommonHyperCount,
                                 step,
                                 after_.value,
                                 t.dtype,
                                 &powers_,
                                 sums,
                                 double(t.size),
                                 scalars.keep};
    blocks_.emplace_back();
    void *block = blocks_.back().bytes;
    info.prepare(group.variant, t.dtype, context, scalars, block);
    return block;
}

} // namespace optcore
