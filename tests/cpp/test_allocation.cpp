// Memory is refused at the i-th request, for every i: an error, nothing changed, and a retry
// succeeds.
#include <atomic>
#include <cstdlib>
#include <new>

#include "common.h"

namespace {

std::atomic<long> allowed{-1}; // requests until the one that is refused; −1: all are granted

void *request(std::size_t bytes) {
    if (allowed >= 0 && allowed-- == 0)
        throw std::bad_alloc();
    if (void *memory = std::malloc(bytes ? bytes : 1))
        return memory;
    throw std::bad_alloc();
}

} // namespace

void *operator new(std::size_t bytes) { return request(bytes); }
void *operator new[](std::size_t bytes) { return request(bytes); }
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete[](void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void *memory, std::size_t) noexcept { std::free(memory); }

namespace {

/// Calls until no request is refused any more; returns how many were.
template <class Call, class Unchanged>
long refused_in_turn(Call call, Unchanged unchanged) {
    for (long i = 0; i < 10000; ++i) {
        allowed = i;
        const optcore_status status = call();
        const bool granted = allowed >= 0;
        allowed = -1;
        if (status == OPTCORE_OK) {
            CHECK(granted);
            return i;
        }
        CHECK(status == OPTCORE_OUT_OF_MEMORY);
        unchanged();
    }
    FAIL("a call that never succeeds");
    return -1;
}

} // namespace

TEST_CASE("an optimizer, from its making to a step and saved state") {
    std::vector<float> W(3000, 1), dW(W.size(), 2), W_before = W;
    optcore_optimizer *optimizer = nullptr;
    const auto none = [&] { CHECK(optimizer == nullptr); };
    CHECK(refused_in_turn([&] { return optcore_optimizer_create("lamb", &optimizer); }, none) > 0);
    const auto tensor = tensor_of("a name that is too long for a string without memory", W);
    std::int64_t count = -1;
    const auto no_tensor = [&] {
        CHECK(optcore_optimizer_tensor_count(optimizer, &count) == OPTCORE_OK);
        CHECK(count == 0);
    };
    CHECK(refused_in_turn([&] { return optcore_optimizer_add(optimizer, 0, &tensor, nullptr); },
                          no_tensor) > 0);
    const auto same = [&] {
        CHECK(W == W_before);
        std::uint64_t steps = 9;
        CHECK(optcore_optimizer_step_count(optimizer, &steps) == OPTCORE_OK);
        CHECK(steps == 0);
    };
    CHECK(refused_in_turn([&] { return optcore_optimizer_set(optimizer, -1, "lr", 0.5); }, same) >
          0);
    auto options = sized<optcore_options>();
    options.clip_norm = 1;
    options.average = 1;
    CHECK(refused_in_turn([&] { return optcore_optimizer_set_options(optimizer, &options); },
                          same) >= 0);
    CHECK(refused_in_turn([&] { return optcore_optimizer_start(optimizer, nullptr, 0); }, same) >
          0);
    void *const gradients[] = {dW.data()};
    auto step = sized<optcore_step>();
    step.count = 1;
    step.data = gradients;
    CHECK(refused_in_turn([&] { return optcore_optimizer_step(optimizer, &step, nullptr); }, same) >
          0);
    CHECK(W != W_before);
    W_before = W;
    optcore_state *state = nullptr;
    const auto unsaved = [&] { CHECK(state == nullptr); };
    CHECK(refused_in_turn([&] { return optcore_optimizer_save(optimizer, &state); }, unsaved) > 0);
    CHECK(refused_in_turn([&] { return optcore_optimizer_load(optimizer, state); }, [] {}) > 0);
    CHECK(W == W_before);
    CHECK(optcore_state_destroy(state) == OPTCORE_OK);
    CHECK(optcore_optimizer_destroy(optimizer) == OPTCORE_OK);
}

TEST_CASE("a schedule of schedules") {
    optcore_schedule *first = constant(2), *made = nullptr;
    const optcore_schedule *const inner[] = {first, first};
    auto of = sized<optcore_argument>();
    of.name = "of";
    of.schedules = inner;
    of.length = 2;
    CHECK(refused_in_turn([&] { return optcore_schedule_create("product", &of, 1, &made); },
                          [&] { CHECK(made == nullptr); }) > 0);
    double value = 0;
    CHECK(optcore_schedule_at(made, 0, &value) == OPTCORE_OK);
    CHECK(value == 4);
    CHECK(optcore_schedule_destroy(made) == OPTCORE_OK);
    CHECK(optcore_schedule_destroy(first) == OPTCORE_OK);
}
