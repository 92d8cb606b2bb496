// Structs of older programs, which are shorter, and of newer ones, which are longer.
#include <cstring>

#include "common.h"

namespace {

/// A struct with what a later version has behind it.
template <class T>
struct Longer {
    T known;
    std::uint64_t unknown;
};

template <class T>
Longer<T> longer(T known, std::uint64_t unknown) {
    known.struct_size = sizeof(Longer<T>);
    return {known, unknown};
}

} // namespace

TEST_CASE("a size of nothing, or of no struct, is an error") {
    Small small;
    auto step = small.given();
    auto options = sized<optcore_options>();
    auto info = sized<optcore_rule_info>();
    for (const std::size_t size :
         {std::size_t(0), std::size_t(1), sizeof(std::size_t), std::size_t(1) << 40}) {
        step.struct_size = options.struct_size = info.struct_size = size;
        CHECK(optcore_optimizer_step(small.optimizer, &step, nullptr) == OPTCORE_BAD_STRUCT);
        CHECK(optcore_optimizer_set_options(small.optimizer, &options) == OPTCORE_BAD_STRUCT);
        CHECK(optcore_rule_at(0, &info) == OPTCORE_BAD_STRUCT);
    }
    CHECK(says("struct_size"));
    CHECK(small.steps() == 0);
}

TEST_CASE("what an older struct lacks is at its default") {
    Small small;
    auto step = small.given();
    step.grad_scale = -1; // beyond what an older program has
    step.struct_size = offsetof(optcore_step, gradients);
    CHECK(optcore_optimizer_step(small.optimizer, &step, nullptr) == OPTCORE_OK);

    auto options = sized<optcore_options>();
    options.clip_norm = 1;
    options.nonfinite = 77;
    options.struct_size = offsetof(optcore_options, nonfinite);
    CHECK(optcore_optimizer_set_options(small.optimizer, &options) == OPTCORE_OK);

    // Of what is filled in, no byte beyond the size.
    optcore_step_result result;
    std::memset(&result, 0x5a, sizeof result);
    result.struct_size = offsetof(optcore_step_result, bad_tensor);
    step.struct_size = offsetof(optcore_step, gradients);
    CHECK(optcore_optimizer_step(small.optimizer, &step, &result) == OPTCORE_OK);
    CHECK(result.grad_norm > 0);
    CHECK(result.bad_tensor == 0x5a5a5a5a5a5a5a5a);
    CHECK(result.struct_size == offsetof(optcore_step_result, bad_tensor));
}

TEST_CASE("what a newer struct adds has to be zero") {
    Small small;
    const auto padded = longer(small.given(), 0), newer = longer(small.given(), 1);
    CHECK(optcore_optimizer_step(small.optimizer, &padded.known, nullptr) == OPTCORE_OK);
    CHECK(optcore_optimizer_step(small.optimizer, &newer.known, nullptr) == OPTCORE_BAD_STRUCT);
    CHECK(says("newer library"));
    CHECK(small.steps() == 1);
    const auto zero = longer(optcore_options(), 0), one = longer(optcore_options(), 1u << 31);
    CHECK(optcore_optimizer_set_options(small.optimizer, &zero.known) == OPTCORE_OK);
    CHECK(optcore_optimizer_set_options(small.optimizer, &one.known) == OPTCORE_BAD_STRUCT);
    auto info = longer(optcore_rule_info(), 0);
    CHECK(optcore_rule_at(0, &info.known) == OPTCORE_OK);
    info.unknown = 1;
    CHECK(optcore_rule_at(0, &info.known) == OPTCORE_BAD_STRUCT);

    optcore_optimizer *optimizer = nullptr;
    REQUIRE(optcore_optimizer_create("sgd", &optimizer) == OPTCORE_OK);
    const auto w = longer(tensor_of("W", small.W), 1);
    CHECK(optcore_optimizer_add(optimizer, 0, &w.known, nullptr) == OPTCORE_BAD_STRUCT);
    CHECK(optcore_optimizer_destroy(optimizer) == OPTCORE_OK);
}

TEST_CASE("an array of longer structs is walked by their own size") {
    Small small;
    auto first = longer(optcore_gradient(), 0), second = first;
    first.known.data = small.dW.data();
    first.known.count = 6;
    second.known.data = small.db.data();
    second.known.count = 2;
    Longer<optcore_gradient> gradients[] = {first, second};
    auto step = small.given();
    step.data = nullptr;
    step.gradients = &gradients[0].known;
    CHECK(optcore_optimizer_step(small.optimizer, &step, nullptr) == OPTCORE_OK);
    gradients[1].known.struct_size = sizeof(optcore_gradient);
    CHECK(optcore_optimizer_step(small.optimizer, &step, nullptr) == OPTCORE_BAD_STRUCT);
    CHECK(says("step.gradients[1]"));

    Small other;
    CHECK(other.step() == OPTCORE_OK);
    CHECK(other.W == small.W);
    CHECK(other.b == small.b);
}

TEST_CASE("reserved fields have to be zero") {
    Small small;
    auto options = sized<optcore_options>();
    options.reserved = 1;
    CHECK(optcore_optimizer_set_options(small.optimizer, &options) == OPTCORE_BAD_VALUE);
}
