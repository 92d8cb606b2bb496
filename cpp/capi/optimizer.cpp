#include "optimizer.h"

#include <cmath>
#include <cstring>

#include "../engine/placement.h"
#include "arguments.h"
#include "formats.h"
#include "names.h"

namespace optcore::capi {
namespace {

double limit(double value, double off, const char *name) {
    if (value == 0)
        return off;
    if (!(value > 0))
        fail(OPTCORE_BAD_VALUE, name, "a number above 0, or 0 for none", shown(value),
             "pass e.g. 1.0");
    return value;
}

int32_t one_of(int32_t value, int32_t most, const char *name) {
    if (value < 0 || value > most)
        fail(OPTCORE_BAD_VALUE, name, "0 to " + std::to_string(most), std::to_string(value),
             "use the constants of optcore.h");
    return value;
}

} // namespace

Options read_options(const optcore_options *given) {
    const auto o = taken(given, OPTCORE_UP_TO(optcore_options, clip_norm), "options");
    Options options;
    options.step.clip_norm = limit(o.clip_norm, options.step.clip_norm, "options.clip_norm");
    options.step.clip_value = limit(o.clip_value, options.step.clip_value, "options.clip_value");
    options.nonfinite = one_of(o.nonfinite, OPTCORE_RAISE, "options.nonfinite");
    options.step.refuse_nonfinite = options.nonfinite != OPTCORE_PROPAGATE;
    options.step.zero_grads = flag(o.zero_grads, "options.zero_grads");
    options.step.threads = one_of(o.threads, 1024, "options.threads");
    options.low_precision = one_of(o.low_precision, OPTCORE_SPLIT, "options.low_precision");
    options.step.seed = o.seed;
    options.average = flag(o.average, "options.average");
    one_of(o.reserved, 0, "options.reserved");
    if (!(o.average_decay >= 0 && o.average_decay <= 1))
        fail(OPTCORE_BAD_VALUE, "options.average_decay", "a number in [0, 1]",
             shown(o.average_decay), "pass e.g. 0.999");
    options.decay.value = o.average_decay;
    if (o.average_schedule)
        options.decay.schedule =
            opened(const_cast<optcore_schedule *>(o.average_schedule)).schedule;
    if (o.executor) {
        const auto e = taken(o.executor, sizeof(optcore_executor), "options.executor");
        not_null(reinterpret_cast<const void *>(e.run), "options.executor.run");
        if (e.threads < 1 || e.threads > 1024)
            fail(OPTCORE_BAD_VALUE, "options.executor.threads", "1 to 1024",
                 std::to_string(e.threads), "say how many threads the pool has");
        one_of(e.reserved, 0, "options.executor.reserved");
        options.executor = {e.context, e.threads, e.run};
        options.has_executor = true;
    }
    return options;
}

Optimizer::Busy::Busy(Optimizer &optimizer) : optimizer_(optimizer) {
    if (optimizer.busy_.test_and_set(std::memory_order_acquire))
        throw Failure(OPTCORE_BUSY, "this optimizer is in use by another thread; expected one call "
                                    "at a time: use a lock, or an optimizer for each thread");
}

Optimizer::Optimizer(const Preset &preset) : preset_(preset) {
    if (!preset.available)
        fail(OPTCORE_UNSUPPORTED, "name", "an optimizer that the core alone can step",
             std::string(preset.title) + ", which needs NumPy's linear algebra or Python",
             "use it through Python, or pick another");
    groups_.push_back({Values(preset)});
}

void Optimizer::not_started(const char *what) const {
    if (started_)
        throw Failure(OPTCORE_WRONG_TIME,
                      std::string(what) +
                          ": expected before the state is made, which the first step "
                          "does; make a new optimizer");
}

int64_t Optimizer::add_group() {
    not_started("add_group");
    groups_.push_back({groups_[0].values, groups_[0].formats});
    return int64_t(groups_.size()) - 1;
}

int64_t Optimizer::add(int64_t group, const optcore_tensor *tensor) {
    not_started("add");
    check_index(group, int64_t(groups_.size()), "group");
    TensorInfo info = read_tensor(tensor, int64_t(infos_.size()));
    info.group = group;
    for (const TensorInfo &other : infos_)
        if (other.name == info.name)
            fail(OPTCORE_BAD_VALUE, "tensor.name", "a name of its own",
                 "\"" + info.name + "\" twice", "state is kept by name");
    infos_.push_back(std::move(info));
    return int64_t(infos_.size()) - 1;
}

/// Changes the values of a group, or of all: none if one of them is refused.
template <class Change>
void Optimizer::change(int64_t group, Change change) {
    if (group != OPTCORE_ALL_GROUPS)
        check_index(group, int64_t(groups_.size()), "group");
    std::vector<Values> changed;
    for (size_t g = 0; g < groups_.size(); ++g) {
        changed.push_back(groups_[g].values);
        if (group == OPTCORE_ALL_GROUPS || size_t(group) == g)
            change(changed.back());
    }
    if (started_)
        check_groups(changed);
    for (size_t g = 0; g < groups_.size(); ++g)
        groups_[g].values = std::move(changed[g]);
}

/// What can be told only of all values together, and against those that the state was made with.
void Optimizer::check_groups(const std::vector<Values> &values) const {
    for (size_t g = 0; g < groups_.size(); ++g) {
        values[g].check_together();
        values[g].check_shared(values[0]);
        if (groups_[g].made)
            values[g].check_fixed(*groups_[g].made, groups_[g].variant);
    }
}

void Optimizer::set(int64_t group, const char *name, double value) {
    const int i = groups_[0].values.index(name);
    change(group, [&](Values &values) { values.set(i, value); });
}

void Optimizer::set(int64_t group, const char *name, const SchedulePtr &schedule) {
    const int i = groups_[0].values.index(name);
    change(group, [&](Values &values) { values.set(i, schedule); });
}

double Optimizer::get(int64_t group, const char *name) const {
    check_index(group, int64_t(groups_.size()), "group");
    return groups_[size_t(group)].values.named(name).at(step_);
}

void Optimizer::set_options(const Options &options) {
    if (started_ &&
        (options.low_precision != options_.low_precision || options.average != options_.average))
        fail(OPTCORE_WRONG_TIME,
             options.average != options_.average ? "options.average" : "options.low_precision",
             "it to stay as it was when the state was made", "a change of it",
             "make a new optimizer");
    options_ = options;
}

void Optimizer::set_state_dtype(int64_t group, const char *slot, optcore_dtype dtype) {
    not_started("set_state_dtype");
    if (group != OPTCORE_ALL_GROUPS)
        check_index(group, int64_t(groups_.size()), "group");
    if (dtype != OPTCORE_F32 && dtype != OPTCORE_F64 && dtype != OPTCORE_BF16 &&
        dtype != OPTCORE_U8)
        fail(OPTCORE_BAD_DTYPE, "dtype", "OPTCORE_F32, OPTCORE_BF16 or OPTCORE_U8",
             optcore_dtype_name(dtype), "pass one of these");
    if (slot) {
        std::vector<std::string> known;
        bool found = false;
        const RuleInfo &info = *preset_.info;
        const unsigned variants = info.factored ? 2 : 1u << info.options.count();
        for (unsigned v = 0; v < variants; ++v)
            for (int k = 0; k < info.slots(v).count(); ++k) {
                const std::string name = info.slots(v).at[k];
                found = found || name == slot;
                if (std::find(known.begin(), known.end(), name) == known.end())
                    known.push_back(name);
            }
        if (!found)
            unknown_name("slot", std::string("a state array of ") + preset_.name, slot, known);
    }
    for (size_t g = 0; g < groups_.size(); ++g)
        if (group == OPTCORE_ALL_GROUPS || size_t(group) == g)
            groups_[g].formats[slot ? slot : ""] = dtype;
}

uint64_t Optimizer::tensor_steps(int64_t i) const {
    check_index(i, tensor_count(), "tensor");
    return started_ ? tensors_[size_t(i)].steps : infos_[size_t(i)].steps;
}

const TensorInfo &Optimizer::tensor(int64_t i) const {
    check_index(i, tensor_count(), "tensor");
    return infos_[size_t(i)];
}

// Steps. --------------------------------------------------------------------------------------

/// Works out the values of this step. What they were before is of no further use.
void Optimizer::evaluate() {
    const double keep = options_.decay.at(step_);
    if (!(keep >= 0 && keep <= 1))
        fail(OPTCORE_BAD_VALUE, "options.average_decay", "a number in [0, 1]",
             shown(keep) + ", what its schedule gives at step " + std::to_string(step_),
             "look at the schedule");
    // The average begins with the first step's parameters.
    options_.step.average_keep = step_ == 0 ? 0 : keep;
    for (size_t g = 0; g < groups_.size(); ++g)
        groups_[g].values.tell(core_groups_[g], step_);
}

/// What can be told before there is state.
void Optimizer::check_given(const optcore_step &given) const {
    if (given.count != tensor_count())
        fail(OPTCORE_BAD_LAYOUT, "step.count",
             std::to_string(tensor_count()) + ", one for each tensor that was added",
             std::to_string(given.count), "the tensors of an optimizer stay as they were added");
    if (given.data && given.gradients)
        fail(OPTCORE_BAD_VALUE, "step", "data or gradients", "both", "leave one NULL");
    if (!given.data && !given.gradients && given.count > 0)
        fail(OPTCORE_NULL_POINTER, "step.data", "a gradient for each tensor", "NULL",
             "pass data, or gradients");
}

void Optimizer::read_gradients(const optcore_step &given) {
    Spans zeroed;
    const size_t item_least = OPTCORE_UP_TO(optcore_gradient, dtype);
    for (size_t i = 0; i < infos_.size(); ++i) {
        if (given.params && given.params[i] != infos_[i].data)
            fail(OPTCORE_BAD_LAYOUT, "step.params[" + std::to_string(i) + "]",
                 infos_[i].name + " where it was when it was added", "another address",
                 "parameters stay where they are: make a new optimizer");
        const ReadGradient read =
            given.data
                ? read_plain(given.data[i], infos_[i])
                : read_described(item(given.gradients, int64_t(i), item_least, "step.gradients"),
                                 infos_[i], tensors_[i], core_groups_[size_t(infos_[i].group)],
                                 gradients_);
        tensors_[i].grad = read.gradient;
        if (read.low == read.high)
            continue;
        written_.each_crossing(read.low, read.high, [&](size_t id) {
            fail(OPTCORE_BAD_LAYOUT, "the gradient of " + infos_[i].name, "memory of its own",
                 "some that overlaps with " + written_names_[id], "pass a copy");
        });
        if (options_.step.zero_grads)
            zeroed.add(read.low, read.high, i);
    }
    zeroed.each_crossing([&](size_t a, size_t b) {
        fail(OPTCORE_BAD_LAYOUT, "the gradients of " + infos_[a].name + " and " + infos_[b].name,
             "memory of their own, as zero_grads is on", "some that overlaps", "pass a copy");
    });
}

void Optimizer::release_gradients() {
    for (Tensor &tensor : tensors_)
        tensor.grad = {};
    gradients_.clear();
}

StepResult Optimizer::run(std::vector<Tensor> &tensors, const std::vector<Group> &groups,
                          const StepOptions &options) {
    const UseExecutor use(options_.has_executor ? &options_.executor : nullptr);
    return optcore::step(tensors.data(), int64_t(tensors.size()), groups.data(),
                         int64_t(groups.size()), options, work_);
}

void Optimizer::report(const StepResult &did, optcore_step_result &result) const {
    result.grad_norm = did.norm;
    result.bad_tensor = did.nonfinite.tensor;
    result.bad_element = did.nonfinite.element;
    result.stepped = did.stepped;
    if (!did.stepped && options_.nonfinite == OPTCORE_RAISE)
        fail(OPTCORE_NONFINITE, "the gradient of " + infos_[size_t(did.nonfinite.tensor)].name,
             "finite numbers",
             "infinity or NaN at element " + std::to_string(did.nonfinite.element),
             "nothing has changed: look for it in the loss");
}

namespace {

/// At the end of a step, however it ends.
template <class F>
class AtEnd {
public:
    explicit AtEnd(F f) : f_(f) {}
    ~AtEnd() { f_(); }
    AtEnd(const AtEnd &) = delete;
    AtEnd &operator=(const AtEnd &) = delete;

private:
    F f_;
};

double scale_of(const optcore_step &given) {
    if (given.grad_scale == 0)
        return 1;
    if (!(given.grad_scale > 0 && std::isfinite(given.grad_scale)))
        fail(OPTCORE_BAD_VALUE, "step.grad_scale", "a finite number above 0",
             shown(given.grad_scale), "pass what the loss was multiplied by");
    return given.grad_scale;
}

} // namespace

void Optimizer::step(const optcore_step &given, optcore_step_result &result) {
    options_.step.grad_scale = scale_of(given);
    check_given(given);
    if (!started_)
        start(nullptr, 0);
    const AtEnd release([this] { release_gradients(); });
    evaluate();
    read_gradients(given);
    const StepResult did = run(tensors_, core_groups_, options_.step);
    step_ += did.stepped;
    report(did, result);
}

void Optimizer::update_hessian(const optcore_step &given, optcore_step_result &result) {
    if (std::strcmp(preset_.rule, "sophia") != 0)
        fail(OPTCORE_UNSUPPORTED, "optimizer", "sophia, which takes estimates of the Hessian",
             preset_.name, "step it");
    const double scale = scale_of(given);
    check_given(given);
    if (!started_)
        start(nullptr, 0);
    const AtEnd release([this] { release_gradients(); });
    evaluate();
    read_gradients(given);
    std::vector<Group> groups = core_groups_;
    for (Group &group : groups) {
        group.variant = 1; // which updates h alone
        group.decoupled = group.maximize = group.mask_update = group.mask_decay = false;
        group.hyper[1] = 0;
    }
    std::vector<Tensor> tensors = tensors_;
    std::vector<Buffers> buffers = buffers_;
    for (size_t i = 0; i < tensors.size(); ++i) {
        buffers[i].rounding = Rounding::nearest;
        buffers[i].kept = buffers[i].average = buffers[i].copy = nullptr;
        tensors[i].buffers = &buffers[i];
        tensors[i].plain = plain_loop(buffers[i], &tensors[i].loop);
    }
    StepOptions options;
    options.refuse_nonfinite = options_.step.refuse_nonfinite;
    options.threads = options_.step.threads;
    options.seed = options_.step.seed;
    options.grad_scale = scale;
    report(run(tensors, groups, options), result);
}

void Optimizer::evaluated(int64_t i, void *out, size_t bytes) const {
    const TensorInfo &info = tensor(i);
    const bool wide = info.dtype() == Dtype::f64;
    const Format computed = wide ? Format::f64 : Format::f32;
    const size_t needed = size_t(info.layout.size) * size_t(bytes_of(computed));
    if (needed > 0)
        not_null(out, "out");
    if (bytes < needed)
        fail(OPTCORE_OUT_OF_MEMORY, "bytes", std::to_string(needed) + " or more",
             std::to_string(bytes), "pass a larger buffer");
    const Slot *z = info.slot("z"), *beta = info.slot("interpolation");
    const Slot *master = info.slot("master"), *rest = info.slot("remainder");
    double used = 0;
    if (started_ && z && beta)
        std::memcpy(&used, beta->first, sizeof used);
    Format z_format = Format::f32;
    if (z)
        real_format(z->dtype, &z_format);
    for (int64_t k = 0; k < info.layout.size; ++k) {
        double y = value_at(info.first, k, info.format);
        if (started_ && master) {
            const double kept = value_at(master->first, k, Format::f32);
            char rounded[8];
            put_value(rounded, 0, info.format, kept);
            y = value_at(rounded, 0, info.format) == y ? kept : y; // else the caller wrote to it
        } else if (started_ && rest) {
            uint16_t high, low;
            std::memcpy(&high, info.first + 2 * k, 2);
            std::memcpy(&low, static_cast<char *>(rest->first) + 2 * k, 2);
            y = double(joined_halves(high, low));
        }
        if (used != 0) {
            const double at = value_at(z->first, k, z_format);
            y = wide ? y + (1 - 1 / used) * (at - y)
                     : double(float(y) + float(1 - 1 / used) * (float(at) - float(y)));
        }
        put_value(out, k, computed, y);
    }
}

} // namespace optcore::capi
