/**
 * @file optcore.hpp
 * @brief optcore for C++17: the C interface with destructors, exceptions, and plain structs of
 * hyperparameters. Header-only.
 *
 * @code{.cpp}
 * optcore::AdamW hyper;
 * hyper.lr = optcore::Schedule("cosine", {{"initial", 3e-3}, {"total", 1000}});
 * optcore::Optimizer optimizer(hyper);
 * optimizer.add("W", W.data(), {64, 10});
 * optimizer.add("b", b.data(), {10});
 * optimizer.step({dW.data(), db.data()});
 * @endcode
 */
#ifndef OPTCORE_OPTCORE_HPP
#define OPTCORE_OPTCORE_HPP

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#error "optcore.hpp needs C++17: compile with -std=c++17, or /std:c++17 for MSVC"
#endif

#include <initializer_list>
#include <string>
#include <type_traits>
#include <vector>

#include "hyperparameters.hpp"
#include "values.hpp"

namespace optcore {
inline namespace v1 {

/** How elements are stored; a bfloat16 or float16 is any type of 16 bits. */
enum class Dtype : optcore_dtype {
    f32 = OPTCORE_F32,
    f64 = OPTCORE_F64,
    bf16 = OPTCORE_BF16,
    f16 = OPTCORE_F16
};

/** A struct of the C interface at its defaults, with its size set. */
template <class T>
T sized() {
    T object = {};
    object.struct_size = sizeof object;
    return object;
}

/** What belongs to an optimizer as a whole: optcore_options with its size set. */
struct Options : optcore_options {
    Options() : optcore_options() { struct_size = sizeof(optcore_options); }
};

/** Saved state. */
class State {
public:
    /** Empty, to be filled from a file. */
    State() {
        optcore_state *made = nullptr;
        check(optcore_state_create(&made));
        handle_.reset(made);
    }
    /** Takes a handle over. */
    explicit State(optcore_state *handle) : handle_(handle) {}

    /** Rule, format, steps, and how many groups and tensors there are. */
    optcore_state_header header() const {
        auto header = sized<optcore_state_header>();
        check(optcore_state_get_header(get(), &header));
        return header;
    }
    /** Sets rule, format and steps. */
    void set_header(const std::string &rule, std::uint64_t step,
                    std::int64_t format = OPTCORE_STATE_FORMAT) {
        auto header = sized<optcore_state_header>();
        header.rule = rule.c_str();
        header.step = step;
        header.format = format;
        check(optcore_state_set_header(get(), &header));
    }
    /** All values of a group; their names last as long as this does. */
    std::vector<optcore_state_value> values(std::int64_t group) const {
        std::int64_t count = 0;
        check(optcore_state_value_count(get(), group, &count));
        std::vector<optcore_state_value> all(std::size_t(count), sized<optcore_state_value>());
        for (std::int64_t i = 0; i < count; ++i)
            check(optcore_state_get_value(get(), group, i, &all[std::size_t(i)]));
        return all;
    }
    /** Adds a value to a group; `scheduled` where a schedule gave it. */
    void add_value(std::int64_t group, const std::string &name, double value,
                   bool scheduled = false) {
        auto added = sized<optcore_state_value>();
        added.name = name.c_str();
        added.value = value;
        added.scheduled = scheduled;
        check(optcore_state_add_value(get(), group, &added));
    }
    /** A tensor: name, group, steps, and how many arrays it has. */
    optcore_state_tensor tensor(std::int64_t index) const {
        auto tensor = sized<optcore_state_tensor>();
        check(optcore_state_get_tensor(get(), index, &tensor));
        return tensor;
    }
    /** Adds a tensor; returns its index. */
    std::int64_t add_tensor(const std::string &name, std::uint64_t steps, std::int64_t group = 0) {
        auto tensor = sized<optcore_state_tensor>();
        tensor.name = name.c_str();
        tensor.steps = steps;
        tensor.group = group;
        std::int64_t index = 0;
        check(optcore_state_add_tensor(get(), &tensor, &index));
        return index;
    }
    /** An array of a tensor, which lasts as long as this does. */
    optcore_array array(std::int64_t tensor, std::int64_t index) const {
        auto array = sized<optcore_array>();
        check(optcore_state_get_array(get(), tensor, index, &array));
        return array;
    }
    /** Adds a copy of an array to a tensor. */
    void add_array(std::int64_t tensor, const optcore_array &array) {
        check(optcore_state_add_array(get(), tensor, &array));
    }

    /** The handle, for the C functions. */
    optcore_state *get() const noexcept { return handle_.get(); }

private:
    struct Destroy {
        void operator()(optcore_state *state) const { optcore_state_destroy(state); }
    };
    std::unique_ptr<optcore_state, Destroy> handle_;
};

/** An optimizer over buffers that belong to you, and that stay where they are as long as it lives.
 */
class Optimizer {
public:
    /** By name, with the defaults. */
    explicit Optimizer(const std::string &name) {
        optcore_optimizer *made = nullptr;
        check(optcore_optimizer_create(name.c_str(), &made));
        handle_.reset(made);
    }
    Optimizer(const char *name) : Optimizer(std::string(name)) {} // NOLINT
    /** By a struct of hyperparameters, such as optcore::AdamW. */
    template <class Hyper, class = decltype(Hyper::name)>
    explicit Optimizer(const Hyper &hyper) : Optimizer(std::string(Hyper::name)) {
        set(hyper);
    }

    /** Sets all values of a group, or of all groups; none, on an error. */
    template <class Hyper, class = decltype(Hyper::name)>
    void set(const Hyper &hyper, std::int64_t group = OPTCORE_ALL_GROUPS) {
        std::vector<optcore_value> values;
        hyper.each([&](const char *name, const auto &value) {
            values.push_back(as_c(name, Value(value)));
        });
        check(
            optcore_optimizer_set_values(get(), group, values.data(), std::int64_t(values.size())));
    }
    /** Sets one value of a group, or of all groups. */
    void set(const char *name, const Value &value, std::int64_t group = OPTCORE_ALL_GROUPS) {
        const optcore_value one = as_c(name, value);
        check(optcore_optimizer_set_values(get(), group, &one, 1));
    }
    /** The value of the next step. */
    double value(const char *name, std::int64_t group = 0) const {
        double found = 0;
        check(optcore_optimizer_get(get(), group, name, &found));
        return found;
    }
    /** Clipping, threads, number formats, averaging. */
    void set_options(const Options &options) {
        check(optcore_optimizer_set_options(get(), &options));
    }
    /** Stores state in 16 or 8 bits. @param slot "" for all. */
    void set_state_dtype(optcore_dtype dtype, const std::string &slot = "",
                         std::int64_t group = OPTCORE_ALL_GROUPS) {
        const char *name = slot.empty() ? nullptr : slot.c_str();
        check(optcore_optimizer_set_state_dtype(get(), group, name, dtype));
    }

    /** Another group, with the values of the first; returns its index. */
    std::int64_t add_group() {
        std::int64_t group = 0;
        check(optcore_optimizer_add_group(get(), &group));
        return group;
    }
    /** Adds a C-contiguous tensor of a shape; returns its index. */
    std::int64_t add(const std::string &name, float *data, const std::vector<std::int64_t> &shape,
                     std::int64_t group = 0) {
        return add(name, data, Dtype::f32, shape, group);
    }
    /** The same in double precision. */
    std::int64_t add(const std::string &name, double *data, const std::vector<std::int64_t> &shape,
                     std::int64_t group = 0) {
        return add(name, data, Dtype::f64, shape, group);
    }
    /** The same in any format. */
    std::int64_t add(const std::string &name, void *data, Dtype dtype,
                     const std::vector<std::int64_t> &shape, std::int64_t group = 0) {
        static const std::int64_t none = 0;
        auto tensor = sized<optcore_tensor>();
        tensor.name = name.c_str();
        tensor.data = data;
        tensor.dtype = optcore_dtype(dtype);
        tensor.count = 1;
        for (const std::int64_t extent : shape)
            tensor.count *= extent;
        tensor.ndim = std::int32_t(shape.size());
        tensor.shape = shape.empty() ? &none : shape.data();
        return add(tensor, group);
    }
    /** Any tensor. */
    std::int64_t add(const optcore_tensor &tensor, std::int64_t group = 0) {
        std::int64_t index = 0;
        check(optcore_optimizer_add(get(), group, &tensor, &index));
        return index;
    }

    /** The bytes that the state needs. */
    std::size_t state_bytes() const {
        std::size_t bytes = 0;
        check(optcore_optimizer_state_bytes(get(), &bytes));
        return bytes;
    }
    /** Makes the state now, in memory of yours or, without any, of the library. */
    void start(void *memory = nullptr, std::size_t bytes = 0) {
        check(optcore_optimizer_start(get(), memory, bytes));
    }

    /** One step; gradients are laid out as their tensors, null leaves one alone. */
    optcore_step_result step(std::initializer_list<const void *> gradients, double grad_scale = 1) {
        return step(given(gradients.begin(), gradients.size(), grad_scale));
    }
    /** The same with a vector of pointers. */
    template <class T>
    optcore_step_result step(const std::vector<T *> &gradients, double grad_scale = 1) {
        const std::vector<const void *> all(gradients.begin(), gradients.end());
        return step(given(all.data(), all.size(), grad_scale));
    }
    /** One step with gradients of any kind: other layouts and formats, or named rows. */
    optcore_step_result step(const optcore_step &gradients) {
        auto result = sized<optcore_step_result>();
        check(optcore_optimizer_step(get(), &gradients, &result));
        return result;
    }
    /** Sophia alone: takes estimates of the Hessian's diagonal, laid out as their tensors. */
    optcore_step_result update_hessian(std::initializer_list<const void *> estimates,
                                       double grad_scale = 1) {
        return update_hessian(given(estimates.begin(), estimates.size(), grad_scale));
    }
    /** The same with a vector of pointers. */
    template <class T>
    optcore_step_result update_hessian(const std::vector<T *> &estimates, double grad_scale = 1) {
        const std::vector<const void *> all(estimates.begin(), estimates.end());
        return update_hessian(given(all.data(), all.size(), grad_scale));
    }
    /** The same with estimates of any kind. */
    optcore_step_result update_hessian(const optcore_step &estimates) {
        auto result = sized<optcore_step_result>();
        check(optcore_optimizer_update_hessian(get(), &estimates, &result));
        return result;
    }
    /** Writes the parameter to evaluate a model with: x of the schedule-free rules, else the
     *  parameter itself.
     *  @param out elements in memory order, double for a double tensor, else float. */
    void evaluated(std::int64_t tensor, void *out, std::size_t bytes) const {
        check(optcore_optimizer_evaluated(get(), tensor, out, bytes));
    }

    /** How many tensors there are. */
    std::int64_t tensor_count() const {
        std::int64_t count = 0;
        check(optcore_optimizer_tensor_count(get(), &count));
        return count;
    }
    /** How many steps a tensor has had. */
    std::uint64_t tensor_steps(std::int64_t tensor) const {
        std::uint64_t steps = 0;
        check(optcore_optimizer_tensor_steps(get(), tensor, &steps));
        return steps;
    }
    /** How many steps were taken. */
    std::uint64_t step_count() const {
        std::uint64_t steps = 0;
        check(optcore_optimizer_step_count(get(), &steps));
        return steps;
    }
    /** An array of state of a tensor by name, "exp_avg". */
    optcore_array state(std::int64_t tensor, const std::string &name) const {
        std::int64_t count = 0;
        check(optcore_optimizer_slot_count(get(), tensor, &count));
        optcore_array array = {};
        for (std::int64_t i = 0; i < count; ++i) {
            array.struct_size = sizeof array;
            check(optcore_optimizer_slot(get(), tensor, i, &array));
            if (name == array.name)
                return array;
        }
        throw std::out_of_range(name + ": expected a state array of this optimizer, got another "
                                       "name; take a step first, and look at the rule's state");
    }

    /** A copy of all that it needs to go on. */
    State save() const {
        optcore_state *made = nullptr;
        check(optcore_optimizer_save(get(), &made));
        return State(made);
    }
    /** Takes saved state over; nothing, on an error. */
    void load(const State &state) { check(optcore_optimizer_load(get(), state.get())); }

    /** The handle, for the C functions. */
    optcore_optimizer *get() const noexcept { return handle_.get(); }

private:
    static optcore_value as_c(const char *name, const Value &value) {
        auto c = sized<optcore_value>();
        c.name = name;
        c.number = value.schedule() ? 0 : value.number();
        c.schedule = value.schedule() ? value.schedule()->get() : nullptr;
        return c;
    }
    static optcore_step given(const void *const *data, std::size_t count, double grad_scale) {
        static const void *const none = nullptr;
        auto step = sized<optcore_step>();
        step.count = std::int64_t(count);
        step.data = data ? data : &none;
        step.grad_scale = grad_scale;
        return step;
    }
    struct Destroy {
        void operator()(optcore_optimizer *optimizer) const {
            optcore_optimizer_destroy(optimizer);
        }
    };
    std::unique_ptr<optcore_optimizer, Destroy> handle_;
};

} // namespace v1
} // namespace optcore

#endif
