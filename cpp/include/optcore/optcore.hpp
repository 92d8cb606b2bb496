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

#include <string>
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

    /** Sets all values of a group, or of all groups. */
    template <class Hyper, class = decltype(Hyper::name)>
    void set(const Hyper &hyper, std::int64_t group = OPTCORE_ALL_GROUPS) {
        hyper.each([&](const char *name, const auto &value) { set(name, Value(value), group); });
    }
    /** Sets one value of a group, or of all groups. */
    void set(const char *name, const Value &value, std::int64_t group = OPTCORE_ALL_GROUPS) {
        if (value.schedule())
            check(optcore_optimizer_set_schedule(get(), group, name, value.schedule()->get()));
        else
            check(optcore_optimizer_set(get(), group, name, value.number()));
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
        optcore_tensor tensor = {};
        tensor.struct_size = sizeof tensor;
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
    optcore_step_result step(const std::vector<void *> &gradients, double grad_scale = 1) {
        optcore_step given = {};
        given.struct_size = sizeof given;
        given.count = std::int64_t(gradients.size());
        given.data = gradients.data();
        given.grad_scale = grad_scale;
        return step(given);
    }
    /** One step with gradients of any kind: other layouts and formats, or named rows. */
    optcore_step_result step(const optcore_step &given) {
        optcore_step_result result = {};
        result.struct_size = sizeof result;
        check(optcore_optimizer_step(get(), &given, &result));
        return result;
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
