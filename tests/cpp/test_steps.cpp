// Steps: what is refused, and that nothing has changed then; memory, groups, threads, formats.
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "common.h"

namespace {

/// Runs a step that has to fail, and looks that nothing has changed.
void refused(Small &small, const optcore_step &step, optcore_status status) {
    const auto W = small.W, b = small.b;
    const auto steps = small.steps();
    CHECK(optcore_optimizer_step(small.optimizer, &step, nullptr) == status);
    CHECK(small.W == W);
    CHECK(small.b == b);
    CHECK(small.steps() == steps);
}

} // namespace

TEST_CASE("a tensor set that changed is refused") {
    Small small;
    auto early = small.given();
    early.count = 1;
    refused(small, early, OPTCORE_BAD_LAYOUT);
    CHECK(optcore_optimizer_add_group(small.optimizer, nullptr) == OPTCORE_OK); // no state as yet
    REQUIRE(small.step() == OPTCORE_OK);
    auto step = small.given();
    step.count = 1;
    refused(small, step, OPTCORE_BAD_LAYOUT);
    CHECK(says("step.count"));
    step.count = 3;
    refused(small, step, OPTCORE_BAD_LAYOUT);
    step = small.given();
    std::vector<float> other(6);
    void *const moved[] = {other.data(), small.b.data()};
    void *const there[] = {small.W.data(), small.b.data()};
    step.params = moved;
    refused(small, step, OPTCORE_BAD_LAYOUT);
    CHECK(says("another address"));
    step.params = there;
    CHECK(optcore_optimizer_step(small.optimizer, &step, nullptr) == OPTCORE_OK);

    optcore_gradient gradients[] = {sized<optcore_gradient>(), sized<optcore_gradient>()};
    gradients[0].data = small.dW.data();
    gradients[0].count = 5;
    step = small.given();
    step.gradients = gradients;
    refused(small, step, OPTCORE_BAD_VALUE); // both
    step.data = nullptr;
    refused(small, step, OPTCORE_BAD_LAYOUT);
    CHECK(says("the gradient of W.count"));
    const auto extra = tensor_of("c", other);
    CHECK(optcore_optimizer_add(small.optimizer, 0, &extra, nullptr) == OPTCORE_WRONG_TIME);
}

TEST_CASE("dtypes that do not fit are refused") {
    Small small;
    auto tensor = tensor_of("c", small.dW);
    for (const optcore_dtype dtype : {4, 5, 7, -1, 77}) {
        tensor.dtype = dtype;
        CHECK(optcore_optimizer_add(small.optimizer, 0, &tensor, nullptr) == OPTCORE_BAD_DTYPE);
    }
    optcore_gradient gradients[] = {sized<optcore_gradient>(), sized<optcore_gradient>()};
    gradients[0].data = small.dW.data();
    gradients[0].count = 6;
    gradients[0].dtype = OPTCORE_I32;
    auto step = small.given();
    step.data = nullptr;
    step.gradients = gradients;
    refused(small, step, OPTCORE_BAD_DTYPE);

    std::vector<double> wide(4);
    Small other;
    auto f64 = sized<optcore_tensor>();
    f64.data = wide.data();
    f64.count = 4;
    f64.dtype = OPTCORE_F64;
    CHECK(optcore_optimizer_add(other.optimizer, 0, &f64, nullptr) == OPTCORE_OK);
    CHECK(optcore_optimizer_set_state_dtype(other.optimizer, 0, nullptr, OPTCORE_I64) ==
          OPTCORE_BAD_DTYPE);
    CHECK(optcore_optimizer_set_state_dtype(other.optimizer, 0, nullptr, OPTCORE_BF16) ==
          OPTCORE_OK);
    CHECK(optcore_optimizer_start(other.optimizer, nullptr, 0) == OPTCORE_BAD_DTYPE);
}

TEST_CASE("layouts that cannot be stepped are refused") {
    Small small;
    std::vector<float> data(12);
    auto tensor = tensor_of("c", data);
    const std::int64_t shape[] = {3, 4}, gaps[] = {8, 1}, wrong[] = {3, 5}, negative[] = {-3, -4};
    tensor.ndim = 2;
    CHECK(optcore_optimizer_add(small.optimizer, 0, &tensor, nullptr) == OPTCORE_NULL_POINTER);
    tensor.shape = wrong;
    CHECK(optcore_optimizer_add(small.optimizer, 0, &tensor, nullptr) == OPTCORE_BAD_LAYOUT);
    tensor.shape = negative;
    CHECK(optcore_optimizer_add(small.optimizer, 0, &tensor, nullptr) == OPTCORE_BAD_LAYOUT);
    tensor.shape = shape;
    tensor.strides = gaps;
    CHECK(optcore_optimizer_add(small.optimizer, 0, &tensor, nullptr) == OPTCORE_BAD_LAYOUT);
    tensor.strides = nullptr;
    tensor.data = reinterpret_cast<char *>(data.data()) + 1;
    CHECK(optcore_optimizer_add(small.optimizer, 0, &tensor, nullptr) == OPTCORE_BAD_LAYOUT);
    tensor.data = data.data();
    tensor.count = -1;
    CHECK(optcore_optimizer_add(small.optimizer, 0, &tensor, nullptr) == OPTCORE_BAD_VALUE);
    tensor.count = std::numeric_limits<std::int64_t>::max();
    CHECK(optcore_optimizer_add(small.optimizer, 0, &tensor, nullptr) == OPTCORE_BAD_VALUE);
    tensor.count = 12;
    tensor.name = "W";
    CHECK(optcore_optimizer_add(small.optimizer, 0, &tensor, nullptr) == OPTCORE_BAD_VALUE);
    CHECK(says("twice"));
    tensor.name = "c";
    CHECK(optcore_optimizer_add(small.optimizer, 5, &tensor, nullptr) == OPTCORE_OUT_OF_RANGE);
    tensor.data = small.W.data() + 2; // within W
    tensor.count = 2;
    tensor.shape = nullptr;
    tensor.ndim = 0;
    CHECK(optcore_optimizer_add(small.optimizer, 0, &tensor, nullptr) == OPTCORE_OK);
    CHECK(optcore_optimizer_start(small.optimizer, nullptr, 0) == OPTCORE_BAD_LAYOUT);
    CHECK(says("overlap"));

    Small other;
    auto step = other.given();
    void *const onto[] = {other.W.data(), other.db.data()};
    step.data = onto;
    refused(other, step, OPTCORE_BAD_LAYOUT);
}

TEST_CASE("values out of range, and at the wrong time") {
    Small small("sgd");
    CHECK(optcore_optimizer_set(small.optimizer, 0, "lr", -1) == OPTCORE_BAD_VALUE);
    CHECK(says("Invalid learning rate: -1.0"));
    CHECK(optcore_optimizer_set(small.optimizer, 3, "lr", 1) == OPTCORE_OUT_OF_RANGE);
    CHECK(optcore_optimizer_set(small.optimizer, 0, "nesterov", 0.5) == OPTCORE_BAD_VALUE);
    CHECK(optcore_optimizer_set(small.optimizer, 0, "nesterov", 1) == OPTCORE_OK);
    refused(small, small.given(), OPTCORE_BAD_VALUE);
    CHECK(says("Nesterov momentum requires a momentum"));
    CHECK(optcore_optimizer_set(small.optimizer, 0, "nesterov", 0) == OPTCORE_OK);
    CHECK(small.step() == OPTCORE_OK);
    CHECK(optcore_optimizer_set(small.optimizer, 0, "momentum", 0.9) == OPTCORE_WRONG_TIME);
    CHECK(optcore_optimizer_set(small.optimizer, 0, "nesterov", 1) != OPTCORE_OK);
    CHECK(optcore_optimizer_add_group(small.optimizer, nullptr) == OPTCORE_WRONG_TIME);
    CHECK(optcore_optimizer_set_state_dtype(small.optimizer, 0, nullptr, OPTCORE_BF16) ==
          OPTCORE_WRONG_TIME);
    CHECK(optcore_optimizer_start(small.optimizer, nullptr, 0) == OPTCORE_WRONG_TIME);
    auto options = sized<optcore_options>();
    options.average = 1;
    CHECK(optcore_optimizer_set_options(small.optimizer, &options) == OPTCORE_WRONG_TIME);
    options = sized<optcore_options>();
    options.clip_norm = std::numeric_limits<double>::quiet_NaN();
    CHECK(optcore_optimizer_set_options(small.optimizer, &options) == OPTCORE_BAD_VALUE);
    options = sized<optcore_options>();
    options.nonfinite = 3;
    CHECK(optcore_optimizer_set_options(small.optimizer, &options) == OPTCORE_BAD_VALUE);
    auto step = small.given();
    step.grad_scale = -2;
    refused(small, step, OPTCORE_BAD_VALUE);

    optcore_schedule *const schedule = constant(-1);
    CHECK(optcore_optimizer_set_schedule(small.optimizer, 0, "nesterov", schedule) ==
          OPTCORE_UNSUPPORTED);
    CHECK(optcore_optimizer_set_schedule(small.optimizer, OPTCORE_ALL_GROUPS, "lr", schedule) ==
          OPTCORE_OK);
    refused(small, small.given(), OPTCORE_BAD_VALUE);
    CHECK(says("its schedule gives at step 1"));
    CHECK(optcore_schedule_destroy(schedule) == OPTCORE_OK);
    CHECK(optcore_optimizer_update_hessian(small.optimizer, &step, nullptr) == OPTCORE_UNSUPPORTED);

    optcore_optimizer *empty = nullptr;
    REQUIRE(optcore_optimizer_create("adam", &empty) == OPTCORE_OK);
    CHECK(optcore_optimizer_start(empty, nullptr, 0) == OPTCORE_WRONG_TIME);
    CHECK(optcore_optimizer_destroy(empty) == OPTCORE_OK);
}

TEST_CASE("state in the caller's memory, at any alignment, gives the same bits") {
    Small reference;
    for (int i = 0; i < 3; ++i)
        REQUIRE(reference.step() == OPTCORE_OK);
    for (const std::size_t off : {0u, 1u, 63u}) {
        Small small;
        std::size_t bytes = 0;
        REQUIRE(optcore_optimizer_state_bytes(small.optimizer, &bytes) == OPTCORE_OK);
        std::vector<unsigned char> memory(bytes + off, 0xff);
        CHECK(optcore_optimizer_start(small.optimizer, memory.data() + off, bytes - 1) ==
              OPTCORE_OUT_OF_MEMORY);
        CHECK(optcore_optimizer_start(small.optimizer, memory.data() + off, bytes) == OPTCORE_OK);
        auto array = sized<optcore_array>();
        REQUIRE(optcore_optimizer_slot(small.optimizer, 0, 0, &array) == OPTCORE_OK);
        CHECK(std::string(array.name) == "exp_avg");
        CHECK(array.count == 6);
        const auto *at = static_cast<unsigned char *>(array.data);
        CHECK((at >= memory.data() && at + 24 <= memory.data() + memory.size()));
        for (int i = 0; i < 3; ++i)
            REQUIRE(small.step() == OPTCORE_OK);
        CHECK(small.W == reference.W);
        CHECK(static_cast<float *>(array.data)[0] != 0);
    }
    Small small;
    std::int64_t count = -1;
    CHECK(optcore_optimizer_slot_count(small.optimizer, 0, &count) == OPTCORE_OK);
    CHECK(count == 0);
    CHECK(optcore_optimizer_slot_count(small.optimizer, 2, &count) == OPTCORE_OUT_OF_RANGE);
    auto array = sized<optcore_array>();
    CHECK(optcore_optimizer_slot(small.optimizer, 0, 0, &array) == OPTCORE_OUT_OF_RANGE);
}

TEST_CASE("a gradient of NULL leaves its tensor, state and step number alone") {
    Small small;
    small.gradients[0] = nullptr;
    const auto W = small.W;
    CHECK(small.step() == OPTCORE_OK);
    CHECK(small.W == W);
    std::uint64_t steps = 7;
    CHECK(optcore_optimizer_tensor_steps(small.optimizer, 0, &steps) == OPTCORE_OK);
    CHECK(steps == 0);
    CHECK(optcore_optimizer_tensor_steps(small.optimizer, 1, &steps) == OPTCORE_OK);
    CHECK(steps == 1);
    CHECK(small.steps() == 1);
}

TEST_CASE("what is not finite") {
    for (const std::int32_t policy : {OPTCORE_PROPAGATE, OPTCORE_SKIP, OPTCORE_RAISE}) {
        Small small;
        auto options = sized<optcore_options>();
        options.nonfinite = policy;
        REQUIRE(optcore_optimizer_set_options(small.optimizer, &options) == OPTCORE_OK);
        small.db[1] = std::numeric_limits<float>::infinity();
        const auto b = small.b;
        auto result = sized<optcore_step_result>();
        const optcore_status status = small.step(&result);
        CHECK(status == (policy == OPTCORE_RAISE ? OPTCORE_NONFINITE : OPTCORE_OK));
        CHECK(result.stepped == (policy == OPTCORE_PROPAGATE));
        CHECK(small.steps() == (policy == OPTCORE_PROPAGATE ? 1u : 0u));
        if (policy == OPTCORE_PROPAGATE)
            continue;
        CHECK(small.b == b);
        CHECK(result.bad_tensor == 1);
        CHECK(result.bad_element == 1);
    }
}

TEST_CASE("clipping, scaling and zeroing") {
    Small clipped, scaled, plain;
    auto options = sized<optcore_options>();
    options.clip_norm = 1e9;
    options.zero_grads = 1;
    REQUIRE(optcore_optimizer_set_options(clipped.optimizer, &options) == OPTCORE_OK);
    auto result = sized<optcore_step_result>();
    auto step = clipped.given();
    CHECK(optcore_optimizer_step(clipped.optimizer, &step, &result) == OPTCORE_OK);
    CHECK(result.grad_norm == std::sqrt(12 + 0.0625 + 16));
    CHECK(clipped.dW == std::vector<float>(6));
    step = scaled.given();
    for (float &g : scaled.dW)
        g *= 4;
    for (float &g : scaled.db)
        g *= 4;
    step.grad_scale = 4;
    CHECK(optcore_optimizer_step(scaled.optimizer, &step, &result) == OPTCORE_OK);
    CHECK(std::isnan(result.grad_norm));
    CHECK(plain.step() == OPTCORE_OK);
    CHECK(clipped.W == plain.W);
    CHECK(scaled.W == plain.W);
}

TEST_CASE("rows: the same as a dense gradient with zeros, for SGD without decay") {
    std::vector<float> table(12, 1), dense_table = table, values = {1, 2, 3, 4, 5, 6}, dense(12, 0);
    dense[3] = 1 + 5, dense[4] = 2 + 6, dense[9] = 3, dense[10] = 4;
    // Of two columns: rows 1, 4 and 1 again; one column in front so that indices are seen.
    values = {1, 2, 3, 4, 5, 6};
    const std::int64_t shape[] = {6, 2};
    std::fill(dense.begin(), dense.end(), 0.0f);
    dense[2] = 6, dense[3] = 8, dense[8] = 3, dense[9] = 4;
    const std::int32_t rows[] = {1, 4, 1};
    for (const bool sparse : {true, false}) {
        optcore_optimizer *optimizer = nullptr;
        REQUIRE(optcore_optimizer_create("sgd", &optimizer) == OPTCORE_OK);
        auto tensor = tensor_of("table", sparse ? table : dense_table);
        tensor.ndim = 2;
        tensor.shape = shape;
        REQUIRE(optcore_optimizer_add(optimizer, 0, &tensor, nullptr) == OPTCORE_OK);
        auto gradient = sized<optcore_gradient>();
        gradient.data = sparse ? values.data() : dense.data();
        gradient.count = sparse ? 6 : 12;
        if (sparse) {
            gradient.rows = rows;
            gradient.row_count = 3;
            gradient.row_dtype = OPTCORE_I32;
        }
        auto step = sized<optcore_step>();
        step.count = 1;
        step.gradients = &gradient;
        CHECK(optcore_optimizer_step(optimizer, &step, nullptr) == OPTCORE_OK);
        if (sparse) {
            gradient.row_dtype = OPTCORE_F32;
            CHECK(optcore_optimizer_step(optimizer, &step, nullptr) == OPTCORE_BAD_DTYPE);
            gradient.row_dtype = OPTCORE_I32;
            gradient.count = 5;
            CHECK(optcore_optimizer_step(optimizer, &step, nullptr) == OPTCORE_BAD_LAYOUT);
            gradient.count = 6;
            const std::int32_t beyond[] = {1, 6, 1};
            gradient.rows = beyond;
            CHECK(optcore_optimizer_step(optimizer, &step, nullptr) == OPTCORE_OUT_OF_RANGE);
        }
        CHECK(optcore_optimizer_destroy(optimizer) == OPTCORE_OK);
    }
    CHECK(table == dense_table);
}

TEST_CASE("other layouts and formats of a gradient") {
    std::vector<float> W = {1, 2, 3, 4, 5, 6}, same = W;
    const std::vector<float> straight = {1, 2, 3, 4, 5, 6};
    std::vector<double> turned = {1, 4, 2, 5, 3, 6}; // the transpose of 2 × 3, in double
    const std::int64_t shape[] = {2, 3}, strides[] = {1, 2};
    for (const bool plain : {true, false}) {
        optcore_optimizer *optimizer = nullptr;
        REQUIRE(optcore_optimizer_create("adam", &optimizer) == OPTCORE_OK);
        auto tensor = tensor_of("W", plain ? W : same);
        tensor.ndim = 2;
        tensor.shape = shape;
        REQUIRE(optcore_optimizer_add(optimizer, 0, &tensor, nullptr) == OPTCORE_OK);
        auto gradient = sized<optcore_gradient>();
        gradient.data =
            plain ? const_cast<float *>(straight.data()) : static_cast<void *>(turned.data());
        gradient.count = 6;
        gradient.dtype = plain ? OPTCORE_F32 : OPTCORE_F64;
        gradient.strides = plain ? nullptr : strides;
        auto step = sized<optcore_step>();
        step.count = 1;
        step.gradients = &gradient;
        CHECK(optcore_optimizer_step(optimizer, &step, nullptr) == OPTCORE_OK);
        CHECK(optcore_optimizer_destroy(optimizer) == OPTCORE_OK);
    }
    CHECK(W == same);
}

namespace {

/// A host's threads: two, one of them the caller's.
struct Pool {
    std::atomic<int> calls{0}, pieces{0};

    static void run(void *context, std::int32_t n, optcore_work work, void *argument) {
        auto &pool = *static_cast<Pool *>(context);
        ++pool.calls;
        std::vector<std::thread> threads;
        for (std::int32_t k = 1; k < n; ++k)
            threads.emplace_back([=] { work(argument, k); });
        work(argument, 0);
        for (std::thread &thread : threads)
            thread.join();
        pool.pieces += n;
    }
};

std::vector<float> large_after(const char *name, Pool *pool, double *norm) {
    std::vector<float> W(200000), dW(W.size());
    for (std::size_t i = 0; i < W.size(); ++i) {
        W[i] = float(i % 97) / 97;
        dW[i] = float(int(i % 31) - 15) / 8;
    }
    optcore_optimizer *optimizer = nullptr;
    REQUIRE(optcore_optimizer_create(name, &optimizer) == OPTCORE_OK);
    const auto tensor = tensor_of("W", W);
    REQUIRE(optcore_optimizer_add(optimizer, 0, &tensor, nullptr) == OPTCORE_OK);
    auto options = sized<optcore_options>();
    options.clip_norm = 1;
    options.threads = pool ? 0 : 1;
    auto executor = sized<optcore_executor>();
    if (pool) {
        executor.context = pool;
        executor.threads = 3;
        executor.run = &Pool::run;
        options.executor = &executor;
    }
    REQUIRE(optcore_optimizer_set_options(optimizer, &options) == OPTCORE_OK);
    void *const gradients[] = {dW.data()};
    auto step = sized<optcore_step>();
    step.count = 1;
    step.data = gradients;
    auto result = sized<optcore_step_result>();
    for (int i = 0; i < 3; ++i)
        REQUIRE(optcore_optimizer_step(optimizer, &step, &result) == OPTCORE_OK);
    *norm = result.grad_norm;
    CHECK(optcore_optimizer_destroy(optimizer) == OPTCORE_OK);
    return W;
}

} // namespace

TEST_CASE("on the host's own threads: the same bits") {
    for (const char *name : {"adamw", "lamb", "adafactor"}) {
        Pool pool;
        double alone = 0, together = 1;
        const auto serial = large_after(name, nullptr, &alone);
        CHECK(large_after(name, &pool, &together) == serial);
        CHECK(together == alone);
        CHECK(pool.calls >= 6);
        CHECK(pool.pieces == 3 * pool.calls);
    }
    auto executor = sized<optcore_executor>();
    executor.run = &Pool::run;
    auto options = sized<optcore_options>();
    options.executor = &executor;
    Small small;
    CHECK(optcore_optimizer_set_options(small.optimizer, &options) == OPTCORE_BAD_VALUE);
}

TEST_CASE("a second thread is told that the optimizer is in use") {
    struct Context {
        Small *small;
        std::atomic<int> status{-1};
    };
    Small small;
    std::vector<float> large(100000), gradient(large.size(), 1);
    const auto tensor = tensor_of("large", large);
    REQUIRE(optcore_optimizer_add(small.optimizer, 0, &tensor, nullptr) == OPTCORE_OK);
    Context context{&small};
    auto executor = sized<optcore_executor>();
    executor.context = &context;
    executor.threads = 2;
    executor.run = [](void *at, std::int32_t n, optcore_work work, void *argument) {
        auto &c = *static_cast<Context *>(at);
        std::thread([&] { c.status = c.small->step(); }).join();
        for (std::int32_t k = 0; k < n; ++k)
            work(argument, k);
    };
    auto options = sized<optcore_options>();
    options.executor = &executor;
    REQUIRE(optcore_optimizer_set_options(small.optimizer, &options) == OPTCORE_OK);
    void *const gradients[] = {small.dW.data(), small.db.data(), gradient.data()};
    auto step = sized<optcore_step>();
    step.count = 3;
    step.data = gradients;
    CHECK(optcore_optimizer_step(small.optimizer, &step, nullptr) == OPTCORE_OK);
    CHECK(context.status == OPTCORE_BUSY);
    CHECK(small.steps() == 1);
}

TEST_CASE("groups have values of their own") {
    Small small("sgd");
    std::int64_t group = 0;
    REQUIRE(optcore_optimizer_add_group(small.optimizer, &group) == OPTCORE_OK);
    CHECK(group == 1);
    std::vector<float> c = {1, 1}, dc = {1, 1};
    const auto tensor = tensor_of("c", c);
    REQUIRE(optcore_optimizer_add(small.optimizer, group, &tensor, nullptr) == OPTCORE_OK);
    REQUIRE(optcore_optimizer_set(small.optimizer, OPTCORE_ALL_GROUPS, "lr", 0.5) == OPTCORE_OK);
    REQUIRE(optcore_optimizer_set(small.optimizer, group, "lr", 0.25) == OPTCORE_OK);
    void *const gradients[] = {small.dW.data(), nullptr, dc.data()};
    auto step = sized<optcore_step>();
    step.count = 3;
    step.data = gradients;
    CHECK(optcore_optimizer_step(small.optimizer, &step, nullptr) == OPTCORE_OK);
    CHECK(c == std::vector<float>{0.75f, 0.75f});
    CHECK(small.W[0] == 0.5f);
}

TEST_CASE("the norm of arrays") {
    std::vector<float> x = {3, 0, 4};
    std::vector<double> y = {12};
    optcore_array arrays[] = {sized<optcore_array>(), sized<optcore_array>()};
    arrays[0].data = x.data();
    arrays[0].count = 3;
    arrays[1].data = y.data();
    arrays[1].count = 1;
    arrays[1].dtype = OPTCORE_F64;
    double norm = 0;
    CHECK(optcore_norm(arrays, 2, 0, &norm) == OPTCORE_OK);
    CHECK(norm == 13);
    CHECK(optcore_norm(arrays, -1, 0, &norm) == OPTCORE_BAD_VALUE);
    CHECK(optcore_norm(arrays, 2, -1, &norm) == OPTCORE_BAD_VALUE);
    arrays[1].dtype = OPTCORE_I64;
    CHECK(optcore_norm(arrays, 2, 0, &norm) == OPTCORE_BAD_DTYPE);
    CHECK(norm == 13);
    double factor = 0;
    CHECK(optcore_clip_factor(13, 100, &factor) == OPTCORE_OK);
    CHECK(factor == 1);
    CHECK(optcore_clip_factor(13, 0, &factor) == OPTCORE_BAD_VALUE);
}
