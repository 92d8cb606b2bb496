// Saved state: through the handle and through its pieces; and state that does not fit.
#include "common.h"

namespace {

/// A copy, made the way one would read it from a file.
optcore_state *rebuilt(const optcore_state *from, const char *rule = nullptr,
                       std::int64_t format = OPTCORE_STATE_FORMAT, const char *leave_out = "",
                       bool wrong_shape = false) {
    optcore_state *to = nullptr;
    REQUIRE(optcore_state_create(&to) == OPTCORE_OK);
    auto header = sized<optcore_state_header>();
    REQUIRE(optcore_state_get_header(from, &header) == OPTCORE_OK);
    const std::int64_t groups = header.groups, tensors = header.tensors;
    header.rule = rule ? rule : header.rule;
    header.format = format;
    REQUIRE(optcore_state_set_header(to, &header) == OPTCORE_OK);
    for (std::int64_t g = 0; g < groups; ++g) {
        std::int64_t count = 0;
        REQUIRE(optcore_state_value_count(from, g, &count) == OPTCORE_OK);
        for (std::int64_t i = 0; i < count; ++i) {
            auto value = sized<optcore_state_value>();
            REQUIRE(optcore_state_get_value(from, g, i, &value) == OPTCORE_OK);
            REQUIRE(optcore_state_add_value(to, g, &value) == OPTCORE_OK);
        }
    }
    for (std::int64_t t = 0; t < tensors; ++t) {
        auto tensor = sized<optcore_state_tensor>();
        REQUIRE(optcore_state_get_tensor(from, t, &tensor) == OPTCORE_OK);
        std::int64_t index = -1;
        REQUIRE(optcore_state_add_tensor(to, &tensor, &index) == OPTCORE_OK);
        CHECK(index == t);
        for (std::int64_t i = 0; i < tensor.arrays; ++i) {
            auto array = sized<optcore_array>();
            REQUIRE(optcore_state_get_array(from, t, i, &array) == OPTCORE_OK);
            const std::int64_t less[] = {array.count - 1};
            if (wrong_shape && array.count > 1) {
                array.count -= 1;
                array.shape = less;
            }
            if (std::string(leave_out) != array.name)
                REQUIRE(optcore_state_add_array(to, t, &array) == OPTCORE_OK);
        }
    }
    return to;
}

/// State that has to be refused, and nothing has changed then.
void refused(Small &small, optcore_state *state, const char *words) {
    optcore_state *before = nullptr, *after = nullptr;
    REQUIRE(optcore_optimizer_save(small.optimizer, &before) == OPTCORE_OK);
    CHECK(optcore_optimizer_load(small.optimizer, state) == OPTCORE_BAD_STATE);
    CHECK_MESSAGE(says(words), optcore_last_error());
    REQUIRE(optcore_optimizer_save(small.optimizer, &after) == OPTCORE_OK);
    for (std::int64_t k = 0; k < 2; ++k) {
        auto a = sized<optcore_array>(), b = a;
        REQUIRE(optcore_state_get_array(before, 0, k, &a) == OPTCORE_OK);
        REQUIRE(optcore_state_get_array(after, 0, k, &b) == OPTCORE_OK);
        for (std::int64_t i = 0; i < a.count; ++i)
            CHECK(static_cast<float *>(a.data)[i] == static_cast<float *>(b.data)[i]);
    }
    for (optcore_state *each : {before, after, state})
        CHECK(optcore_state_destroy(each) == OPTCORE_OK);
}

} // namespace

TEST_CASE("an optimizer goes on from saved state, bit for bit") {
    for (const char *name : {"adamw", "nadam", "prodigy", "rmsprop", "adafactor"}) {
        Small first(name);
        for (int i = 0; i < 3; ++i)
            REQUIRE(first.step() == OPTCORE_OK);
        optcore_state *state = nullptr;
        REQUIRE(optcore_optimizer_save(first.optimizer, &state) == OPTCORE_OK);
        optcore_state *const copy = rebuilt(state);
        Small second(name);
        second.W = first.W;
        second.b = first.b;
        // A new vector has other memory, so the optimizer is made anew over it.
        optcore_optimizer *other = nullptr;
        REQUIRE(optcore_optimizer_create(name, &other) == OPTCORE_OK);
        const auto w = tensor_of("W", second.W), bias = tensor_of("b", second.b);
        REQUIRE(optcore_optimizer_add(other, 0, &w, nullptr) == OPTCORE_OK);
        REQUIRE(optcore_optimizer_add(other, 0, &bias, nullptr) == OPTCORE_OK);
        CHECK(optcore_optimizer_load(other, copy) == OPTCORE_WRONG_TIME);
        REQUIRE(optcore_optimizer_start(other, nullptr, 0) == OPTCORE_OK);
        CHECK_MESSAGE(optcore_optimizer_load(other, copy) == OPTCORE_OK, optcore_last_error());
        for (int i = 0; i < 3; ++i) {
            REQUIRE(first.step() == OPTCORE_OK);
            const auto step = second.given();
            REQUIRE(optcore_optimizer_step(other, &step, nullptr) == OPTCORE_OK);
        }
        CHECK(second.W == first.W);
        CHECK(second.b == first.b);
        CHECK(optcore_optimizer_destroy(other) == OPTCORE_OK);
        CHECK(optcore_state_destroy(state) == OPTCORE_OK);
        CHECK(optcore_state_destroy(copy) == OPTCORE_OK);
    }
}

TEST_CASE("state of another rule, version or tensor is refused, and nothing changes") {
    Small small, other("sgd");
    optcore_state *state = nullptr;
    CHECK(optcore_optimizer_save(small.optimizer, &state) == OPTCORE_WRONG_TIME);
    REQUIRE(small.step() == OPTCORE_OK);
    REQUIRE(optcore_optimizer_save(small.optimizer, &state) == OPTCORE_OK);
    REQUIRE(small.step() == OPTCORE_OK);
    refused(small, rebuilt(state, "lion"), "state/rule");
    refused(small, rebuilt(state, nullptr, OPTCORE_STATE_FORMAT + 1), "newer optcore");
    refused(small, rebuilt(state, nullptr, 0), "state/format");
    refused(small, rebuilt(state, nullptr, OPTCORE_STATE_FORMAT, "exp_avg"), "exp_avg");
    refused(small, rebuilt(state, nullptr, OPTCORE_STATE_FORMAT, "", true), "shape");

    optcore_state *extra = rebuilt(state);
    auto tensor = sized<optcore_state_tensor>();
    tensor.name = "c";
    REQUIRE(optcore_state_add_tensor(extra, &tensor, nullptr) == OPTCORE_OK);
    refused(small, extra, "state/tensors");

    optcore_state *odd = rebuilt(state);
    auto value = sized<optcore_state_value>();
    value.name = "rho";
    REQUIRE(optcore_state_add_value(odd, 0, &value) == OPTCORE_OK);
    refused(small, odd, "rho");

    optcore_state *amsgrad = rebuilt(state);
    value.name = "amsgrad";
    value.value = 1;
    REQUIRE(optcore_state_add_value(amsgrad, 0, &value) == OPTCORE_OK);
    refused(small, amsgrad, "amsgrad");

    optcore_state *scheduled = rebuilt(state);
    value.name = "lr";
    value.scheduled = 1;
    REQUIRE(optcore_state_add_value(scheduled, 0, &value) == OPTCORE_OK);
    refused(small, scheduled, "schedule");

    optcore_state *more = rebuilt(state);
    value.scheduled = 0;
    REQUIRE(optcore_state_add_value(more, 1, &value) == OPTCORE_OK);
    refused(small, more, "state/groups");
    CHECK(optcore_state_destroy(state) == OPTCORE_OK);
}

TEST_CASE("building state wrongly") {
    optcore_state *state = nullptr;
    REQUIRE(optcore_state_create(&state) == OPTCORE_OK);
    auto tensor = sized<optcore_state_tensor>();
    tensor.name = "W";
    CHECK(optcore_state_add_tensor(state, &tensor, nullptr) == OPTCORE_OK);
    CHECK(optcore_state_add_tensor(state, &tensor, nullptr) == OPTCORE_BAD_VALUE);
    tensor.group = -1;
    CHECK(optcore_state_add_tensor(state, &tensor, nullptr) == OPTCORE_OUT_OF_RANGE);
    std::vector<float> data(4);
    auto array = sized<optcore_array>();
    array.name = "exp_avg";
    array.data = data.data();
    array.count = 4;
    CHECK(optcore_state_add_array(state, 1, &array) == OPTCORE_OUT_OF_RANGE);
    CHECK(optcore_state_add_array(state, 0, &array) == OPTCORE_OK);
    CHECK(optcore_state_add_array(state, 0, &array) == OPTCORE_BAD_VALUE);
    array.name = "exp_avg_sq";
    array.dtype = 55;
    CHECK(optcore_state_add_array(state, 0, &array) == OPTCORE_BAD_DTYPE);
    auto found = sized<optcore_array>();
    CHECK(optcore_state_get_array(state, 0, 1, &found) == OPTCORE_OUT_OF_RANGE);
    auto value = sized<optcore_state_value>();
    value.name = "lr";
    value.scheduled = 2;
    CHECK(optcore_state_add_value(state, 0, &value) == OPTCORE_BAD_VALUE);
    CHECK(optcore_state_get_value(state, 0, 0, &value) == OPTCORE_OUT_OF_RANGE);
    std::int64_t count = 0;
    CHECK(optcore_state_value_count(state, 0, &count) == OPTCORE_OUT_OF_RANGE);
    CHECK(optcore_state_get_tensor(state, 1, &tensor) == OPTCORE_OUT_OF_RANGE);
    CHECK(optcore_state_destroy(state) == OPTCORE_OK);
}
