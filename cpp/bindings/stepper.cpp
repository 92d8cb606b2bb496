#include "stepper.h"

#include <cmath>

#include "engine/gather.h"
#include "read_rows.h"

namespace optcore {

double Source::at(uint64_t step, std::vector<std::pair<PyObject *, double>> &called) const {
    if (!function)
        return at(step);
    for (const auto &[other, its_value] : called)
        if (function.ptr() == other)
            return its_value;
    called.emplace_back(function.ptr(), at(step));
    return called.back().second;
}

double Source::at(uint64_t step) const {
    if (schedule)
        return schedule->at(step);
    if (function)
        return function(step).cast<double>();
    return value;
}

/// Marks the stepper as in use; a second thread gets an error instead of a mixed step.
class Stepper::Busy {
public:
    explicit Busy(Stepper &s) : stepper_(s) {
        held_ = s.holder_.load(std::memory_order_relaxed) == std::this_thread::get_id();
        if (!held_)
            s.enter();
    }
    ~Busy() {
        if (!held_)
            stepper_.busy_.clear(std::memory_order_release);
    }
    Busy(const Busy &) = delete;
    Busy &operator=(const Busy &) = delete;

private:
    Stepper &stepper_;
    bool held_; ///< by this very thread, through hold()
};

void Stepper::enter() {
    if (busy_.test_and_set(std::memory_order_acquire))
        throw std::runtime_error(
            "this optimizer is in use, by another thread or by the call that led "
            "here; expected one step at a time: use a lock, or an optimizer for "
            "each thread");
}

void Stepper::hold() {
    enter();
    holder_.store(std::this_thread::get_id(), std::memory_order_relaxed);
}

void Stepper::let_go() {
    holder_.store(std::thread::id(), std::memory_order_relaxed);
    busy_.clear(std::memory_order_release);
}

/// Owned references to the gradients of one step.
class Stepper::Leaves {
public:
    std::vector<PyObject *> objects;
    Leaves() = default;
    Leaves(Leaves &&) = default;
    Leaves(const Leaves &) = delete;
    ~Leaves() {
        for (PyObject *object : objects)
            Py_DECREF(object);
    }
};

/// At the end of a call, however it ends: the tensors point at the bound gradients, or nowhere.
class Stepper::Release {
public:
    explicit Release(Stepper &s) : s_(s) {}
    ~Release() {
        for (size_t i = 0; i < s_.tensors_.size(); ++i)
            s_.tensors_[i].grad = s_.bound_ ? s_.bound_grads_[i] : Gradient{};
    }
    Release(const Release &) = delete;
    Release &operator=(const Release &) = delete;

private:
    Stepper &s_;
};

Stepper::Stepper(const std::string &rule, std::vector<std::shared_ptr<Tree>> trees, bool grouped,
                 std::string gradients)
    : rule_(rule_named(rule)), info_(rule_info(rule_)), trees_(std::move(trees)),
      groups_(trees_.size()), sources_(trees_.size()), grouped_(grouped),
      gradients_(std::move(gradients)) {
    for (auto &group : groups_)
        group.rule = rule_;
    for (auto &sources : sources_)
        sources.resize(info_.hypers_in_all());
}

Stepper::~Stepper() = default;

void Stepper::set_options(const StepOptions &options) {
    const Busy busy(*this);
    options_ = options;
}

void Stepper::set_variant(size_t g, unsigned variant, bool decoupled, bool maximize,
                          bool mask_update, bool mask_decay) {
    const Busy busy(*this);
    groups_.at(g).variant = variant;
    groups_.at(g).decoupled = decoupled || info_.factored;
    groups_.at(g).maximize = maximize;
    groups_.at(g).mask_update = mask_update && info_.maskable;
    groups_.at(g).mask_decay = mask_decay && info_.maskable;
}

Source Stepper::source_of(py::object value) {
    Source source;
    if (py::isinstance<Schedule>(value))
        source.schedule = value.cast<std::shared_ptr<Schedule>>();
    else if (PyCallable_Check(value.ptr()))
        source.function = value;
    else
        source.value = value.cast<double>();
    return source;
}

void Stepper::refuse_steps(const std::string &why) {
    if (!why.empty()) {
        const Busy busy(*this);
        why_refused_ = why;
        refused_.store(true, std::memory_order_relaxed);
    } else {
        refused_.store(false, std::memory_order_relaxed);
    }
}

void Stepper::set_average(py::object keep) {
    const Busy busy(*this);
    average_ = source_of(keep);
}

void Stepper::set_hyper(size_t g, const std::string &name, py::object value) {
    const Busy busy(*this);
    const int i = index_of(name);
    const Source source = source_of(value);
    if (!source.scheduled())
        check(g, i, source.value, "");
    sources_.at(g)[i] = source;
    groups_.at(g).hyper[i] = source.value;
    scheduled_ = false;
    for (const auto &sources : sources_)
        for (const auto &each : sources)
            scheduled_ = scheduled_ || each.scheduled();
}

double Stepper::get_hyper(size_t g, const std::string &name) const {
    return sources_.at(g)[index_of(name)].at(step_);
}

void Stepper::add(size_t g, size_t leaf, const std::vector<py::object> &slots,
                  const std::vector<py::object> &scalars, const Extras &extras) {
    const Tree &tree = *trees_.at(g);
    params_.push_back(check_param(tree.leaves().at(leaf), tree.name_of(leaf, tree.root())));
    tensors_.push_back(describe(groups_[g], int(g), params_.back(), slots, scalars, extras,
                                " of " + params_.back().path, written_, store_));
    tensors_.back().path_hash = path_hash(tree.paths()[leaf]);
    total_ += params_.back().size;
    for (const auto *arrays : {&slots, &scalars})
        keep_.insert(keep_.end(), arrays->begin(), arrays->end());
    for (const auto &array : {extras.kept, extras.average, extras.copy})
        keep_.push_back(array);
}

/// What comes before every step.
void Stepper::begin(double grad_scale) {
    if (refused_.load(std::memory_order_relaxed))
        throw std::runtime_error(why_refused_);
    if (!(grad_scale > 0 && std::isfinite(grad_scale)))
        throw py::value_error("grad_scale: expected a finite number above 0, got " +
                              std::string(py::str(py::float_(grad_scale))) +
                              "; pass what the loss was multiplied by");
    read_counters();
}

bool Stepper::step(py::object grads, double grad_scale, py::object directions) {
    const Busy busy(*this);
    begin(grad_scale);
    if (grads.is_none()) {
        if (!bound_)
            throw py::type_error(gradients_ +
                                 ": expected gradients, got None; pass a tree like the "
                                 "parameters', or bind(grads) once");
        evaluate_schedules();
        return directions.is_none() ? run(grad_scale) : run_along(*bound_, grad_scale, directions);
    }
    evaluate_schedules();
    const Release release(*this);
    const Leaves leaves = read(grads, scratch_, !directions.is_none());
    return directions.is_none() ? run(grad_scale) : run_along(leaves, grad_scale, directions);
}

bool Stepper::still(size_t i, const dlpack::Tensor &seen, Format format) const {
    const Param &p = params_[i];
    if ((p.size > 0 && p.data != seen.data) || p.format != format ||
        p.shape.size() != size_t(seen.ndim))
        return false;
    for (size_t k = 0; k < p.shape.size(); ++k)
        if (p.shape[k] != seen.shape[k] ||
            (p.size > 0 && p.strides[k] != seen.strides[k] * bytes_of(format)))
            return false;
    return true;
}

int Stepper::step_tensors(const std::vector<PyObject *> &grads, double grad_scale,
                          const TensorApi &api) {
    const Busy busy(*this);
    begin(grad_scale);
    evaluate_schedules();
    const Release release(*this);
    scratch_.clear();
    std::vector<py::ssize_t> strides;
    for (size_t i = 0; i < tensors_.size(); ++i) {
        const Param &param = params_[i];
        Gradient &g = tensors_[i].grad;
        g = Gradient{};
        if (grads[i] == Py_None)
            continue;
        dlpack::Tensor seen;
        if (!api.look(grads[i], &seen, &g.format) || g.format != param.format ||
            size_t(seen.ndim) != param.shape.size())
            return -1;
        strides.clear();
        for (size_t k = 0; k < param.shape.size(); ++k) {
            if (seen.shape[k] != param.shape[k])
                return -1;
            strides.push_back(seen.strides[k] * bytes_of(g.format));
        }
        if (param.size == 0) {
            g.data = param.first ? static_cast<void *>(param.first) : &scratch_;
            continue;
        }
        if (!seen.data) // a tensor of zeros that takes no memory, or memory that is gone
            return -1;
        const bool aligned =
            reinterpret_cast<uintptr_t>(seen.data) % size_t(bytes_of(g.format)) == 0;
        uintptr_t low, high;
        place_gradient(
            g, {static_cast<char *>(seen.data), param.shape.data(), strides.data(), aligned}, param,
            scratch_, &low, &high);
        written_.check(grads[i], low, high, [&] { return gradient_name(i); });
    }
    return run(grad_scale);
}

void Stepper::set_counter(size_t i, py::object counter) {
    const Busy busy(*this);
    counters_.resize(tensors_.size());
    counters_.at(i) = check_scalar(counter, "step of " + params_.at(i).path);
    keep_.push_back(counter);
}

void Stepper::read_counters() {
    for (size_t i = 0; i < counters_.size(); ++i) {
        if (!counters_[i])
            continue;
        const double steps = *counters_[i];
        if (!(steps >= 0 && steps < 0x1p64 && steps == std::floor(steps)))
            throw py::value_error(
                "step of " + params_[i].path + ": expected a whole number, 0 or " + "more, got " +
                std::string(py::str(py::float_(steps))) + "; load a state dict of whole steps");
        tensors_[i].steps = uint64_t(steps);
    }
}

void Stepper::write_counters() const {
    for (size_t i = 0; i < counters_.size(); ++i)
        if (counters_[i])
            *counters_[i] = double(tensors_[i].steps);
}

void Stepper::bind(py::object grads) {
    const Busy busy(*this);
    if (grads.is_none()) {
        const Release release(*this);
        bound_.reset();
        return;
    }
    const Release release(*this);
    auto store = std::make_unique<GradientStore>();
    auto leaves = std::make_unique<Leaves>(read(grads, *store, false));
    std::vector<Gradient> gradients;
    for (size_t i = 0; i < tensors_.size(); ++i) {
        PyObject *grad = leaves->objects[i];
        if (tensors_[i].grad.rows)
            refuse_rows(gradient_name(i), "it stays bound",
                        "they differ from step to step: pass them to step()");
        if (grad != Py_None && !py::isinstance<py::array>(grad))
            throw py::type_error(gradient_name(i) + ": expected an array, as it stays bound, got " +
                                 type_of(grad) + "; pass np.array(...) and write into it");
        gradients.push_back(tensors_[i].grad);
    }
    bound_ = std::move(leaves);
    bound_store_ = std::move(store);
    bound_grads_ = std::move(gradients);
}

std::vector<uint64_t> Stepper::param_steps() const {
    std::vector<uint64_t> steps;
    for (const Tensor &t : tensors_)
        steps.push_back(t.steps);
    return steps;
}
void Stepper::set_steps(uint64_t step, const std::vector<uint64_t> &param_steps) {
    const Busy busy(*this);
    if (param_steps.size() != tensors_.size())
        throw py::value_error("param_steps: expected " + std::to_string(tensors_.size()) +
                              " numbers, got " + std::to_string(param_steps.size()) +
                              "; pass one per parameter");
    step_ = step;
    for (size_t i = 0; i < tensors_.size(); ++i)
        tensors_[i].steps = param_steps[i];
}
int Stepper::index_of(const std::string &name) const {
    for (int i = 0; i < info_.hypers_in_all(); ++i)
        if (name == info_.hyper(i).name)
            return i;
    throw py::key_error(name);
}

void Stepper::check(size_t g, int i, double value, const std::string &where) const {
    const std::string error = hyper_error(info_.hyper(i), value);
    if (!error.empty())
        throw py::value_error((!grouped_ ? "" : "groups[" + std::to_string(g) + "]: ") + error +
                              where);
}

void Stepper::evaluate_schedules() {
    if (average_.scheduled()) {
        const double keep = average_.at(step_);
        if (!(keep >= 0 && keep <= 1))
            throw py::value_error("ema: expected a decay in [0, 1], got " +
                                  std::string(py::str(py::float_(keep))) +
                                  ": what its schedule gives at step " + std::to_string(step_));
        options_.average_keep = keep;
    } else {
        options_.average_keep = average_.value;
    }
    if (step_ == 0)
        options_.average_keep = 0; // the average begins with the first step's parameters
    if (!scheduled_)
        return;
    std::vector<std::pair<PyObject *, double>> called; // a function is asked once for all groups
    for (size_t g = 0; g < groups_.size(); ++g)
        for (int i = 0; i < info_.hypers_in_all(); ++i)
            if (sources_[g][i].scheduled()) {
                const double value = sources_[g][i].at(step_, called);
                check(g, i, value, ": what its schedule gives at step " + std::to_string(step_));
                groups_[g].hyper[i] = value;
            }
}

std::string Stepper::gradient_root(size_t g) const {
    return !grouped_ ? gradients_ : gradients_ + "[" + std::to_string(g) + "]";
}

/// Holds the gradients against the parameters, checks each, and points the tensors at them.
/// `whole`: whether the rule looks at whole tensors in a way that the core does not know.
Stepper::Leaves Stepper::read(const py::object &grads, GradientStore &store, bool whole) {
    store.clear();
    Leaves leaves;
    leaves.objects.reserve(tensors_.size());
    if (!grouped_) {
        trees_[0]->match(grads.ptr(), [this] { return gradient_root(0); }, leaves.objects);
    } else {
        const bool sequence = py::isinstance<py::list>(grads) || py::isinstance<py::tuple>(grads);
        if (!sequence || py::len(grads) != trees_.size())
            throw py::type_error(
                gradients_ + ": expected a list of " + std::to_string(trees_.size()) +
                " trees, one per group, got " +
                (sequence ? std::to_string(py::len(grads)) + " items" : type_of(grads)) +
                "; gradients mirror the groups");
        for (size_t g = 0; g < trees_.size(); ++g) {
            const py::object mine = Tree::item_at(grads.ptr(), g);
            trees_[g]->match(mine.ptr(), [this, g] { return gradient_root(g); }, leaves.objects);
        }
    }
    WrittenBuffers zeroed;
    for (size_t i = 0; i < tensors_.size(); ++i) {
        const Param &param = params_[i];
        if (!param.same_array_as_before())
            throw py::value_error(
                param.path + " was resized, reshaped or made read-only after the "
                             "optimizer was made; expected it unchanged: make a new optimizer");
        PyObject *grad = leaves.objects[i];
        uintptr_t low, high;
        Gradient &g = tensors_[i].grad;
        const auto name = [&] { return gradient_name(i); };
        py::object values; // of named rows
        if (grad != Py_None && !py::isinstance<py::array>(grad) && is_rows(grad)) {
            if (whole)
                refuse_rows(name(), kWholeTensors, kScatter);
            if (options_.stats)
                refuse_rows(name(), "stats is on", "statistics are of whole tensors: leave it out");
            g = read_rows(grad, param, tensors_[i], groups_[size_t(tensors_[i].group)], name, store,
                          options_.zero_grads, &values, &low, &high);
            grad = values.ptr();
        } else {
            g = read_gradient(grad, param, name, store, options_.zero_grads, &low, &high);
        }
        if (low == high)
            continue;
        written_.check(grad, low, high, name);
        if (options_.zero_grads)
            zeroed.add(low, high, py::reinterpret_borrow<py::object>(grad), name());
    }
    zeroed.finish();
    return leaves;
}

std::string Stepper::gradient_name(size_t i) const {
    const size_t g = size_t(tensors_[i].group);
    size_t first = i;
    while (first > 0 && size_t(tensors_[first - 1].group) == g)
        --first;
    return trees_[g]->name_of(i - first, gradient_root(g));
}

bool Stepper::run(double grad_scale) {
    const GilReleased unlocked(total_);
    options_.grad_scale = grad_scale;
    result_ = optcore::step(tensors_.data(), int64_t(tensors_.size()), groups_.data(),
                            int64_t(groups_.size()), options_, work_);
    write_counters();
    step_ += result_.stepped;
    return result_.stepped;
}

bool Stepper::run_along(const Leaves &grads, double grad_scale, const py::object &directions) {
    options_.grad_scale = grad_scale;
    const int64_t count = int64_t(tensors_.size());
    Examined seen;
    std::vector<double> norms;
    {
        const GilReleased unlocked(total_);
        seen = examine(tensors_.data(), count, options_, true, work_);
        for (int64_t i = 0; options_.stats && i < count; ++i)
            norms.push_back(global_norm(&tensors_[i], 1, options_.threads, work_.sums));
    }
    if (!seen.result.stepped) {
        result_ = seen.result;
        return false;
    }
    py::list given;
    for (PyObject *grad : grads.objects)
        given.append(py::handle(grad));
    const auto [along, states] =
        directions(given, seen.factor).cast<std::pair<py::list, py::list>>();

    for (const py::handle &pair : states) // the last that could fail once the step is taken
        if (!py::array(pair[py::int_(0)]).writeable())
            throw py::value_error("state: expected writable arrays, got a read-only one; make it "
                                  "writable again, or make a new optimizer");

    // From here on the directions are the gradients of a plain step.
    const Release release(*this);
    std::vector<Gradient> came;
    for (const Tensor &t : tensors_)
        came.push_back(t.grad);
    GradientStore store;
    point_at(along, store);
    StepOptions plain = options_;
    plain.clip_norm = std::numeric_limits<double>::quiet_NaN();
    plain.clip_value = std::numeric_limits<double>::infinity();
    plain.grad_scale = 1;
    plain.refuse_nonfinite = plain.zero_grads = false;
    {
        const GilReleased unlocked(total_);
        optcore::step(tensors_.data(), count, groups_.data(), int64_t(groups_.size()), plain,
                      work_);
        for (int64_t i = 0; options_.zero_grads && i < count; ++i)
            if (tensors_[i].active())
                clear(came[i], 0, tensors_[i].size);
    }
    for (const py::handle &pair : states)
        pair[py::int_(0)][py::ellipsis()] = pair[py::int_(1)];
    for (size_t i = 0; i < norms.size(); ++i)
        work_.stats[i].grad_squares = norms[i] * norms[i];
    result_ = seen.result;
    write_counters();
    ++step_;
    return true;
}

/// Lets the tensors have directions in the place of their gradients.
void Stepper::point_at(const py::list &directions, GradientStore &store) {
    if (directions.size() != tensors_.size())
        throw py::value_error("directions: expected " + std::to_string(tensors_.size()) + ", got " +
                              std::to_string(directions.size()) +
                              "; return one, or None, for each parameter");
    for (size_t i = 0; i < tensors_.size(); ++i) {
        uintptr_t low, high;
        const py::object direction = directions[i];
        const auto name = [&] { return "directions of " + params_[i].path; };
        const bool had = tensors_[i].grad.data;
        tensors_[i].grad =
            read_gradient(direction.ptr(), params_[i], name, store, false, &low, &high);
        if (had != (tensors_[i].grad.data != nullptr))
            throw py::value_error(name() + ": expected one where there is a gradient, and only "
                                           "there; return None where there is None");
    }
}

} // namespace optcore
