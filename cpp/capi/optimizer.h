// What an optimizer handle is: the groups' values, the tensors, their state and step numbers. Each
// step hands all of it to the stateless core in one call.
#ifndef OPTCORE_CAPI_OPTIMIZER_H
#define OPTCORE_CAPI_OPTIMIZER_H

#include <memory>
#include <set>

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
    /// Sets all of them, or none.
    void set(int64_t group, const std::vector<NamedSource> &given);
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

private:
    struct GroupState {
        Values values;
        StateFormats formats = {};
        std::unique_ptr<Values> made = nullptr; ///< as they were when the state was made
        unsigned variant = 0;
    };
    struct Plan;
    class FirstStart;

    void check_groups(const std::vector<Values> &values, size_t first) const;
    void not_started(const char *what) const;
    Plan plan() const;
    void place(TensorInfo &info, Tensor &tensor, Buffers &buffers, MatrixShape &matrix) const;
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
    std::set<std::string> names_; ///< of the tensors
    Borrowed borrowed_;
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
};

} // namespace optcore::capi

/// The handles themselves.
struct optcore_optimizer : optcore::capi::Handle {
    static constexpr auto kKind = optcore::capi::HandleKind::optimizer;
    explicit optcore_optimizer(const optcore::capi::Preset &preset)
        : Handle(kKind), optimizer(preset) {}
    optcore::capi::Optimizer optimizer;
};

#endif
