// What an optimizer handle is: the groups' values, the tensors, their state and step numbers. Each
// step hands all of it to the stateless core in one call.
#ifndef OPTCORE_CAPI_OPTIMIZER_H
#define OPTCORE_CAPI_OPTIMIZER_H

#include <atomic>
#include <deque>
#include <memory>

#include "../engine/step.h"
#include "../engine/threads.h"
#include "gradients.h"
#include "saved.h"
#include "values.h"

namespace optcore::capi {

/// What belongs to an optimizer as a whole, checked.
struct Options {
    StepOptions step;
    int32_t nonfinite = OPTCORE_PROPAGATE;
    int32_t low_precision = OPTCORE_NEAREST;
    bool average = false;
    Source decay;
    Executor executor;
    bool has_executor = false;
};

Options read_options(const optcore_options *given);

class Optimizer {
public:
    explicit Optimizer(const Preset &preset);

    int64_t add_group();
    int64_t add(int64_t group, const optcore_tensor *tensor);
    void set(int64_t group, const char *name, double value);
    void set(int64_t group, const char *name, const SchedulePtr &schedule);
    double get(int64_t group, const char *name) const;
    void set_options(const Options &options);
    void set_state_dtype(int64_t group, const char *slot, optcore_dtype dtype);

    size_t state_bytes() const;
    void start(void *memory, size_t bytes);
    bool started() const { return started_; }

    /// Fills in what came of it; an OPTCORE_NONFINITE failure as well.
    void step(const optcore_step &given, optcore_step_result &result);
    void update_hessian(const optcore_step &given, optcore_step_result &result);
    void evaluated(int64_t tensor, void *out, size_t bytes) const;

    uint64_t steps() const { return step_; }
    int64_t tensor_count() const { return int64_t(infos_.size()); }
    uint64_t tensor_steps(int64_t i) const;
    const TensorInfo &tensor(int64_t i) const;

    void save(SavedState &state) const;
    void load(const SavedState &state);

    /// Keeps a second thread out; OPTCORE_BUSY for it.
    class Busy {
    public:
        explicit Busy(Optimizer &optimizer);
        ~Busy() { optimizer_.busy_.clear(std::memory_order_release); }
        Busy(const Busy &) = delete;
        Busy &operator=(const Busy &) = delete;

    private:
        Optimizer &optimizer_;
    };

private:
    struct GroupState {
        Values values;
        StateFormats formats = {};
        std::unique_ptr<Values> made = nullptr; ///< as they were when the state was made
        unsigned variant = 0;
    };
    struct Plan;

    template <class Change>
    void change(int64_t group, Change change);
    void check_groups(const std::vector<Values> &values) const;
    void not_started(const char *what) const;
    Plan plan() const;
    void place(TensorInfo &info, Tensor &tensor, Buffers &buffers, MatrixShape &matrix) const;
    void begin_values();
    void evaluate();
    void check_given(const optcore_step &given) const;
    void read_gradients(const optcore_step &given);
    void release_gradients();
    StepResult run(std::vector<Tensor> &tensors, const std::vector<Group> &groups,
                   const StepOptions &options);
    void report(const StepResult &did, optcore_step_result &result) const;

    const Preset &preset_;
    std::vector<GroupState> groups_;
    std::vector<TensorInfo> infos_;
    Options options_;
    bool started_ = false;
    uint64_t step_ = 0;
    // Once there is state:
    struct Freed {
        void operator()(unsigned char *p) const { ::operator delete[](p); }
    };
    std::unique_ptr<unsigned char[], Freed> own_memory_;
    std::vector<Group> core_groups_;
    std::vector<Tensor> tensors_;
    std::vector<Buffers> buffers_;
    std::vector<MatrixShape> matrices_;
    Spans written_;
    std::vector<std::string> written_names_;
    GradientStore gradients_;
    Workspace work_;
    std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
};

} // namespace optcore::capi

/// The handles themselves.
struct optcore_optimizer {
    static constexpr auto kind = optcore::capi::HandleKind::optimizer;
    explicit optcore_optimizer(const optcore::capi::Preset &preset) : optimizer(preset) {}
    optcore::capi::Optimizer optimizer;
};

#endif
