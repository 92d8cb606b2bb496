// What a Python Optimizer holds on to: the trees, the checked buffers, the step numbers and the
// hyperparameters. Each step hands all of it to the stateless core in one call.
#ifndef OPTCORE_BINDINGS_STEPPER_H
#define OPTCORE_BINDINGS_STEPPER_H

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "describe.h"
#include "dlpack.h"
#include "engine/step.h"
#include "schedules/schedule.h"
#include "tree.h"

namespace optcore {

/// Where a hyperparameter's value comes from: a number, a schedule, or a Python function.
struct Source {
    double value = 0;
    SchedulePtr schedule;
    py::object function;

    bool scheduled() const { return schedule || function; }
    double at(uint64_t step) const;
    /// The same, from the functions that were `called` at this step where it is among them.
    double at(uint64_t step, std::vector<std::pair<PyObject *, double>> &called) const;
};

class Stepper {
public:
    /// `grouped`: gradients come as a list of trees, one per group, even if there is but one.
    /// `gradients`: what errors call them.
    Stepper(const std::string &rule, std::vector<std::shared_ptr<Tree>> trees, bool grouped,
            std::string gradients);
    ~Stepper();

    void set_variant(size_t group, unsigned variant, bool decoupled, bool maximize,
                     bool mask_update, bool mask_decay);
    void set_hyper(size_t group, const std::string &name, py::object value);
    double get_hyper(size_t group, const std::string &name) const;

    /// Adds the next leaf of the trees, in order, with its state.
    void add(size_t group, size_t leaf, const std::vector<py::object> &slots,
             const std::vector<py::object> &scalars, const Extras &extras);
    /// After the last one: a ValueError if any of them overlap.
    void finish() { written_.finish(); }

    /// Keeps all other threads out until `let_go`, so that several calls are one.
    void hold();
    void let_go();

    /// Refuses steps with these words while the parameters hold something else, such as their
    /// average. An error if one is under way; allowing them again, with none, always succeeds.
    void refuse_steps(const std::string &why);

    /// One step; None stands for the bound gradients, which are `grad_scale` times too large.
    /// False: refused, as a gradient is not finite.
    ///
    /// `directions`, where it is given, works the directions out in the rule's place. It is called
    /// with the gradients (None where there is none) and with what they are to be multiplied by,
    /// and returns a direction for each, and pairs of arrays (to, from): new state, which is
    /// written when nothing can fail any more.
    bool step(py::object grads, double grad_scale, py::object directions);
    /// Whether a parameter still lies in memory as this tensor does.
    bool still(size_t tensor, const dlpack::Tensor &seen, Format format) const;
    /// A step on tensors of another library, None where there is no gradient: 1 if it took place,
    /// 0 if it was refused, -1 where a gradient is not one of the parameter's own type and shape.
    int step_tensors(const std::vector<PyObject *> &grads, double grad_scale, const TensorApi &api);
    /// Keeps the step numbers of a parameter in the caller's float64 as well, which is read before
    /// a step and written after it. A Python array of one element.
    void set_counter(size_t tensor, py::object counter);

    /// Checks and keeps gradients that stay where they are; None lets them go.
    void bind(py::object grads);

    std::vector<uint64_t> param_steps() const;
    void set_steps(uint64_t step, const std::vector<uint64_t> &param_steps);
    uint64_t step_count() const { return step_; }
    /// What came of the last step.
    const StepResult &result() const { return result_; }
    const std::vector<TensorStats> &stats() const { return work_.stats; }

    /// How much of the weight average stays in a step: a number, a schedule, a Python function.
    void set_average(py::object keep);

    const StepOptions &options() const { return options_; }
    void set_options(const StepOptions &options);

private:
    class Busy;
    class Release;
    class Leaves;

    void enter();
    int index_of(const std::string &hyper) const;
    void check(size_t group, int hyper, double value, const std::string &where) const;
    static Source source_of(py::object value);
    void evaluate_schedules();
    Leaves read(const py::object &grads, GradientStore &store, bool whole);
    std::string gradient_root(size_t group) const;
    std::string gradient_name(size_t tensor) const;
    void begin(double grad_scale);
    bool run(double grad_scale);
    void read_counters();
    void write_counters() const;
    bool run_along(const Leaves &grads, double grad_scale, const py::object &directions);
    void point_at(const py::list &directions, GradientStore &store);

    RuleId rule_;
    const RuleInfo &info_;
    std::vector<std::shared_ptr<Tree>> trees_; ///< one per group
    std::vector<Group> groups_;
    std::vector<std::vector<Source>> sources_; ///< by group, then as RuleInfo::hyper
    bool grouped_, scheduled_ = false;
    std::string gradients_;
    std::vector<Param> params_;
    std::vector<Tensor> tensors_;
    std::vector<double *> counters_; ///< per parameter, or none at all; null: it has none
    std::vector<py::object> keep_;   ///< the state arrays
    WrittenBuffers written_;
    TensorStore store_;
    GradientStore scratch_;
    std::unique_ptr<Leaves> bound_;
    std::unique_ptr<GradientStore> bound_store_;
    std::vector<Gradient> bound_grads_;
    StepOptions options_;
    Workspace work_;
    std::atomic<bool> refused_{false};
    std::string why_refused_;
    uint64_t step_ = 0;
    int64_t total_ = 0; ///< elements of all parameters
    Source average_;
    StepResult result_;
    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
    std::atomic<std::thread::id> holder_{};
};

/// A Python function step(grads, grad_scale) of a stepper, as fast as one can be called.
py::object step_call(py::object stepper);

} // namespace optcore

#endif
