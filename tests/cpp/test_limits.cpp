// Sizes that cannot be, steps that are the last there are, and very many of everything.
#include <cmath>
#include <limits>

#include "common.h"

namespace {

constexpr std::int64_t kHuge = std::int64_t(1) << 62;

optcore_status add_shape(optcore_optimizer *optimizer, std::vector<std::int64_t> shape) {
    auto tensor = sized<optcore_tensor>();
    tensor.name = "t";
    tensor.shape = shape.data();
    tensor.ndim = std::int32_t(shape.size());
    return optcore_optimizer_add(optimizer, 0, &tensor, nullptr);
}

struct Made {
    optcore_optimizer *optimizer = nullptr;
    explicit Made(const char *name) {
        REQUIRE(optcore_optimizer_create(name, &optimizer) == OPTCORE_OK);
    }
    ~Made() { CHECK(optcore_optimizer_destroy(optimizer) == OPTCORE_OK); }
    Made(const Made &) = delete;
};

} // namespace

TEST_CASE("extents that overflow, beside one of 0") {
    for (const char *name : {"adafactor", "adamw", "rowwise_adagrad"}) {
        Made made(name);
        for (const auto &shape : std::vector<std::vector<std::int64_t>>{
                 {kHuge, 0}, {0, kHuge}, {0, kHuge, kHuge}, {kHuge, kHuge, 0}, {kHuge, 0, kHuge}})
            CHECK(add_shape(made.optimizer, shape) == OPTCORE_BAD_LAYOUT);
        CHECK(add_shape(made.optimizer, {3, 0, 5}) == OPTCORE_OK);
        CHECK(optcore_optimizer_start(made.optimizer, nullptr, 0) == OPTCORE_OK);
        optcore_state *state = nullptr;
        CHECK(optcore_optimizer_save(made.optimizer, &state) == OPTCORE_OK);
        CHECK(optcore_optimizer_load(made.optimizer, state) == OPTCORE_OK);
        auto array = sized<optcore_array>();
        const std::int64_t shape[] = {kHuge, kHuge, 0};
        array.name = "huge";
        array.shape = shape;
        array.ndim = 3;
        CHECK(optcore_state_add_array(state, 0, &array) == OPTCORE_BAD_LAYOUT);
        CHECK(optcore_state_destroy(state) == OPTCORE_OK);
    }
}

TEST_CASE("an empty matrix of many rows needs much state all the same") {
    Made made("adafactor");
    REQUIRE(add_shape(made.optimizer, {std::int64_t(1) << 57, 0}) == OPTCORE_OK);
    std::size_t bytes = 7;
    char memory[64];
    CHECK(optcore_optimizer_start(made.optimizer, memory, sizeof memory) == OPTCORE_OUT_OF_MEMORY);
    CHECK(optcore_optimizer_state_bytes(made.optimizer, &bytes) == OPTCORE_OK);
    CHECK(bytes > std::size_t(1) << 59);
}

TEST_CASE("bytes of state that cannot be counted") {
    Made made("adam");
    auto tensor = sized<optcore_tensor>();
    tensor.count = (std::int64_t(1) << 58) - 1;
    tensor.dtype = OPTCORE_F64;
    const char *const names[] = {"a", "b"};
    for (std::uintptr_t i = 0; i < 2; ++i) {
        tensor.name = names[i]; // nothing lies there, and nothing is read
        tensor.data = reinterpret_cast<void *>(4096 + (i << 62));
        REQUIRE(optcore_optimizer_add(made.optimizer, 0, &tensor, nullptr) == OPTCORE_OK);
    }
    std::size_t bytes = 7;
    CHECK(optcore_optimizer_state_bytes(made.optimizer, &bytes) == OPTCORE_OUT_OF_MEMORY);
    CHECK(bytes == 7);
    CHECK(optcore_optimizer_start(made.optimizer, nullptr, 0) == OPTCORE_OUT_OF_MEMORY);
    tensor.name = "c";
    tensor.data = reinterpret_cast<void *>(~std::uintptr_t(4095));
    CHECK(optcore_optimizer_add(made.optimizer, 0, &tensor, nullptr) == OPTCORE_BAD_LAYOUT);
    CHECK(says("fewer behind it"));
}

TEST_CASE("strides that reach further than can be counted") {
    Small small;
    const std::int64_t shape[] = {3, 2}, strides[] = {std::int64_t(1) << 57, -1};
    auto array = sized<optcore_array>();
    array.data = small.W.data();
    array.count = 6;
    array.shape = shape;
    array.ndim = 2;
    array.strides = strides;
    double norm = 0;
    CHECK(optcore_norm(&array, 1, 0, &norm) == OPTCORE_BAD_LAYOUT);
    const std::int64_t back[] = {2, -1};
    array.strides = back;
    array.data = small.W.data() + 1;
    CHECK(optcore_norm(&array, 1, 0, &norm) == OPTCORE_OK);
    CHECK(norm == std::sqrt(91.0));
}

TEST_CASE("the last step number stays, and can be saved and loaded") {
    constexpr std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
    Small small;
    REQUIRE(optcore_optimizer_start(small.optimizer, nullptr, 0) == OPTCORE_OK);
    optcore_state *state = nullptr, *built = nullptr;
    REQUIRE(optcore_optimizer_save(small.optimizer, &state) == OPTCORE_OK);
    REQUIRE(optcore_state_create(&built) == OPTCORE_OK);
    auto header = sized<optcore_state_header>();
    REQUIRE(optcore_state_get_header(state, &header) == OPTCORE_OK);
    header.step = last - 1;
    REQUIRE(optcore_state_set_header(built, &header) == OPTCORE_OK);
    for (std::int64_t t = 0; t < 2; ++t) {
        auto tensor = sized<optcore_state_tensor>();
        REQUIRE(optcore_state_get_tensor(state, t, &tensor) == OPTCORE_OK);
        tensor.steps = last - 1;
        REQUIRE(optcore_state_add_tensor(built, &tensor, nullptr) == OPTCORE_OK);
        for (std::int64_t i = 0; i < tensor.arrays; ++i) {
            auto array = sized<optcore_array>();
            REQUIRE(optcore_state_get_array(state, t, i, &array) == OPTCORE_OK);
            REQUIRE(optcore_state_add_array(built, t, &array) == OPTCORE_OK);
        }
    }
    for (int k = 0; k < 3; ++k) {
        CHECK_MESSAGE(optcore_optimizer_load(small.optimizer, built) == OPTCORE_OK,
                      optcore_last_error());
        CHECK(small.step() == OPTCORE_OK);
        CHECK(small.steps() == last);
        std::uint64_t steps = 0;
        CHECK(optcore_optimizer_tensor_steps(small.optimizer, 0, &steps) == OPTCORE_OK);
        CHECK(steps == last);
        CHECK(std::isfinite(small.W[0]));
        CHECK(optcore_state_destroy(built) == OPTCORE_OK);
        REQUIRE(optcore_optimizer_save(small.optimizer, &built) == OPTCORE_OK);
    }
    CHECK(optcore_state_destroy(state) == OPTCORE_OK);
    CHECK(optcore_state_destroy(built) == OPTCORE_OK);
}

// Each of these took minutes when every call went through all groups or all tensors.
TEST_CASE("very many groups" * doctest::timeout(60)) {
    constexpr std::int64_t n = 20000;
    Made made("adamw");
    std::vector<float> data(n, 1);
    std::vector<const void *> gradients;
    for (std::int64_t g = 0; g < n; ++g) {
        if (g > 0)
            REQUIRE(optcore_optimizer_add_group(made.optimizer, nullptr) == OPTCORE_OK);
        auto tensor = sized<optcore_tensor>();
        tensor.data = &data[std::size_t(g)];
        tensor.count = 1;
        REQUIRE(optcore_optimizer_add(made.optimizer, g, &tensor, nullptr) == OPTCORE_OK);
        gradients.push_back(tensor.data);
    }
    REQUIRE(optcore_optimizer_start(made.optimizer, nullptr, 0) == OPTCORE_OK);
    for (std::int64_t g = 0; g < n; ++g)
        REQUIRE(optcore_optimizer_set(made.optimizer, g, "lr", 0.5) == OPTCORE_OK);
}

TEST_CASE("very many tensors" * doctest::timeout(60)) {
    constexpr std::int64_t n = 60000;
    Made made("sgd");
    std::vector<float> data(n, 1);
    for (std::int64_t i = 0; i < n; ++i) {
        const std::string name = "layers." + std::to_string(i) + ".weight";
        auto tensor = sized<optcore_tensor>();
        tensor.name = name.c_str();
        tensor.data = &data[std::size_t(i)];
        tensor.count = 1;
        REQUIRE(optcore_optimizer_add(made.optimizer, 0, &tensor, nullptr) == OPTCORE_OK);
    }
    REQUIRE(optcore_optimizer_start(made.optimizer, nullptr, 0) == OPTCORE_OK);
    optcore_state *state = nullptr, *built = nullptr;
    REQUIRE(optcore_optimizer_save(made.optimizer, &state) == OPTCORE_OK);
    REQUIRE(optcore_state_create(&built) == OPTCORE_OK);
    for (std::int64_t i = 0; i < n; ++i) {
        auto tensor = sized<optcore_state_tensor>();
        REQUIRE(optcore_state_get_tensor(state, i, &tensor) == OPTCORE_OK);
        REQUIRE(optcore_state_add_tensor(built, &tensor, nullptr) == OPTCORE_OK);
    }
    CHECK(optcore_optimizer_load(made.optimizer, state) == OPTCORE_OK);
    CHECK(optcore_state_destroy(state) == OPTCORE_OK);
    CHECK(optcore_state_destroy(built) == OPTCORE_OK);
}

#if defined(__linux__)
#include <fstream>

namespace {

long resident_pages() {
    std::ifstream file("/proc/self/statm");
    long size = 0, resident = 0;
    file >> size >> resident;
    return resident;
}

} // namespace

TEST_CASE("a saved value of a far group makes no groups before it") {
    optcore_state *state = nullptr;
    REQUIRE(optcore_state_create(&state) == OPTCORE_OK);
    auto value = sized<optcore_state_value>();
    value.name = "lr";
    value.value = 0.5;
    const long before = resident_pages();
    CHECK(optcore_state_add_value(state, (1 << 20) - 1, &value) == OPTCORE_OK);
    CHECK(resident_pages() - before < 1000);
    auto header = sized<optcore_state_header>();
    CHECK(optcore_state_get_header(state, &header) == OPTCORE_OK);
    CHECK(header.groups == 1 << 20);
    std::int64_t count = -1;
    CHECK(optcore_state_value_count(state, 5, &count) == OPTCORE_OK);
    CHECK(count == 0);
    CHECK(optcore_state_value_count(state, (1 << 20) - 1, &count) == OPTCORE_OK);
    CHECK(count == 1);
    CHECK(optcore_state_get_value(state, 5, 0, &value) == OPTCORE_OUT_OF_RANGE);
    CHECK(optcore_state_destroy(state) == OPTCORE_OK);
}
#endif
