// What the tests share: structs with their size set, and an optimizer over two small tensors.
#ifndef OPTCORE_TESTS_COMMON_H
#define OPTCORE_TESTS_COMMON_H

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "optcore/optcore.h"

/// A struct at its defaults.
template <class T>
T sized() {
    T object = {};
    object.struct_size = sizeof object;
    return object;
}

inline bool says(const char *words) {
    return std::string(optcore_last_error()).find(words) != std::string::npos;
}

inline optcore_tensor tensor_of(const char *name, std::vector<float> &data) {
    auto tensor = sized<optcore_tensor>();
    tensor.name = name;
    tensor.data = data.data();
    tensor.count = std::int64_t(data.size());
    return tensor;
}

/// An optimizer over W (6) and b (2), and gradients for both.
struct Small {
    std::vector<float> W = {1, -2, 3, -4, 5, -6}, b = {0.5f, -0.5f};
    std::vector<float> dW = {1, 1, -1, -1, 2, -2}, db = {0.25f, 4};
    std::vector<void *> gradients = {dW.data(), db.data()};
    optcore_optimizer *optimizer = nullptr;

    explicit Small(const char *name = "adamw") {
        REQUIRE(optcore_optimizer_create(name, &optimizer) == OPTCORE_OK);
        const auto w = tensor_of("W", W), bias = tensor_of("b", b);
        REQUIRE(optcore_optimizer_add(optimizer, 0, &w, nullptr) == OPTCORE_OK);
        REQUIRE(optcore_optimizer_add(optimizer, 0, &bias, nullptr) == OPTCORE_OK);
    }
    ~Small() { CHECK(optcore_optimizer_destroy(optimizer) == OPTCORE_OK); }
    Small(const Small &) = delete;

    optcore_step given() {
        auto step = sized<optcore_step>();
        step.count = 2;
        step.data = gradients.data();
        return step;
    }
    optcore_status step(optcore_step_result *result = nullptr) {
        const optcore_step each = given();
        return optcore_optimizer_step(optimizer, &each, result);
    }
    std::uint64_t steps() const {
        std::uint64_t count = 0;
        CHECK(optcore_optimizer_step_count(optimizer, &count) == OPTCORE_OK);
        return count;
    }
};

inline optcore_schedule *constant(double value) {
    auto argument = sized<optcore_argument>();
    argument.name = "value";
    argument.number = value;
    optcore_schedule *schedule = nullptr;
    REQUIRE(optcore_schedule_create("constant", &argument, 1, &schedule) == OPTCORE_OK);
    return schedule;
}

#endif
