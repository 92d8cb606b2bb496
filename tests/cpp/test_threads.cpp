// One handle in several threads, a host's threads that misbehave, and forks.
#include <atomic>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <thread>

#include "common.h"

#if defined(__unix__) || defined(__APPLE__)
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace {

/// An optimizer over one tensor that is large enough for several threads, with `run` for them.
struct Hosted {
    using Run = std::function<void(std::int32_t, optcore_work, void *)>;

    std::vector<float> W = std::vector<float>(100000, 1), dW = std::vector<float>(W.size(), 0.5f);
    optcore_optimizer *optimizer = nullptr;
    Run run;
    int asked = 0;

    explicit Hosted(Run of = {}) : run(std::move(of)) {
        REQUIRE(optcore_optimizer_create("adamw", &optimizer) == OPTCORE_OK);
        const auto tensor = tensor_of("W", W);
        REQUIRE(optcore_optimizer_add(optimizer, 0, &tensor, nullptr) == OPTCORE_OK);
        auto executor = sized<optcore_executor>();
        executor.context = this;
        executor.threads = 4;
        executor.run = [](void *context, std::int32_t n, optcore_work work, void *argument) {
            auto &self = *static_cast<Hosted *>(context);
            ++self.asked;
            self.run(n, work, argument);
        };
        auto options = sized<optcore_options>();
        options.executor = run ? &executor : nullptr;
        options.clip_norm = 1;
        REQUIRE(optcore_optimizer_set_options(optimizer, &options) == OPTCORE_OK);
    }
    ~Hosted() { CHECK(optcore_optimizer_destroy(optimizer) == OPTCORE_OK); }
    Hosted(const Hosted &) = delete;

    optcore_status step() {
        const void *const gradients[] = {dW.data()};
        auto given = sized<optcore_step>();
        given.count = 1;
        given.data = gradients;
        return optcore_optimizer_step(optimizer, &given, nullptr);
    }
};

void in_order(std::int32_t n, optcore_work work, void *argument) {
    for (std::int32_t k = 0; k < n; ++k)
        work(argument, k);
}

} // namespace

TEST_CASE("a step keeps all other calls on its optimizer out") {
    Hosted *self = nullptr;
    std::vector<optcore_status> told;
    const auto call_all = [&] {
        optcore_optimizer *const opt = self->optimizer;
        double value = 0;
        std::int64_t count = 0;
        std::uint64_t steps = 0;
        std::size_t bytes = 0;
        auto array = sized<optcore_array>();
        optcore_state *state = nullptr;
        std::vector<float> out(self->W.size());
        told = {optcore_optimizer_destroy(opt),
                self->step(),
                optcore_optimizer_set(opt, 0, "lr", 1),
                optcore_optimizer_get(opt, 0, "lr", &value),
                optcore_optimizer_state_bytes(opt, &bytes),
                optcore_optimizer_tensor_count(opt, &count),
                optcore_optimizer_step_count(opt, &steps),
                optcore_optimizer_tensor_steps(opt, 0, &steps),
                optcore_optimizer_slot_count(opt, 0, &count),
                optcore_optimizer_slot(opt, 0, 0, &array),
                optcore_optimizer_evaluated(opt, 0, out.data(), out.size() * sizeof(float)),
                optcore_optimizer_save(opt, &state)};
    };
    for (const bool other_thread : {false, true}) {
        Hosted hosted([&](std::int32_t n, optcore_work work, void *argument) {
            if (other_thread)
                std::thread(call_all).join();
            else
                call_all();
            in_order(n, work, argument);
        });
        self = &hosted;
        CHECK(hosted.step() == OPTCORE_OK);
        CHECK(told.size() == 12);
        for (const optcore_status status : told)
            CHECK(status == OPTCORE_BUSY);
        std::uint64_t steps = 0;
        CHECK(optcore_optimizer_step_count(hosted.optimizer, &steps) == OPTCORE_OK);
        CHECK(steps == 1);
    }
}

TEST_CASE("destroying while another thread steps: in use, or gone, and never followed") {
    for (int round = 0; round < 20; ++round) {
        Small small;
        optcore_optimizer *optimizer = nullptr;
        REQUIRE(optcore_optimizer_create("adam", &optimizer) == OPTCORE_OK);
        const auto w = tensor_of("W", small.W);
        REQUIRE(optcore_optimizer_add(optimizer, 0, &w, nullptr) == OPTCORE_OK);
        std::atomic<bool> going{false};
        optcore_status last = OPTCORE_OK;
        std::thread stepping([&] {
            const void *const gradients[] = {small.dW.data()};
            auto step = sized<optcore_step>();
            step.count = 1;
            step.data = gradients;
            while (last == OPTCORE_OK) {
                last = optcore_optimizer_step(optimizer, &step, nullptr);
                going = true;
            }
        });
        while (!going)
            std::this_thread::yield();
        optcore_status status = OPTCORE_BUSY;
        while (status == OPTCORE_BUSY)
            status = optcore_optimizer_destroy(optimizer);
        CHECK(status == OPTCORE_OK);
        stepping.join();
        CHECK(last == OPTCORE_BAD_HANDLE);
    }
}

TEST_CASE("calls that read one handle may run together, and see no change under way") {
    Small small;
    REQUIRE(small.step() == OPTCORE_OK);
    optcore_state *state = nullptr;
    REQUIRE(optcore_optimizer_save(small.optimizer, &state) == OPTCORE_OK);
    std::atomic<int> wrong{0};
    std::atomic<bool> stop{false};
    std::vector<std::thread> readers;
    for (int k = 0; k < 3; ++k)
        readers.emplace_back([&] {
            auto tensor = sized<optcore_state_tensor>();
            while (!stop) {
                double value = -1;
                const optcore_status got = optcore_optimizer_get(small.optimizer, 0, "lr", &value);
                wrong += got == OPTCORE_OK ? value != 0.25 && value != 0.001 : got != OPTCORE_BUSY;
                const optcore_status read = optcore_state_get_tensor(state, 0, &tensor);
                wrong += read != OPTCORE_OK && read != OPTCORE_BUSY;
            }
        });
    int changed = 0;
    for (int i = 0; i < 3000 || changed == 0; ++i) {
        optcore_schedule *schedule = constant(0.25);
        changed += optcore_optimizer_set_schedule(small.optimizer, 0, "lr", schedule) == OPTCORE_OK;
        CHECK(optcore_schedule_destroy(schedule) == OPTCORE_OK);
        const std::string name = "a tensor with a long name, number " + std::to_string(i);
        auto tensor = sized<optcore_state_tensor>();
        tensor.name = name.c_str();
        const optcore_status added = optcore_state_add_tensor(state, &tensor, nullptr);
        CHECK((added == OPTCORE_OK || added == OPTCORE_BUSY));
    }
    stop = true;
    for (std::thread &reader : readers)
        reader.join();
    CHECK(wrong == 0);
    // Without a writer, readers never turn each other away.
    stop = false;
    readers.clear();
    for (int k = 0; k < 3; ++k)
        readers.emplace_back([&] {
            for (int i = 0; i < 3000; ++i) {
                std::uint64_t steps = 0;
                wrong += optcore_optimizer_step_count(small.optimizer, &steps) != OPTCORE_OK;
            }
        });
    for (std::thread &reader : readers)
        reader.join();
    CHECK(wrong == 0);
    CHECK(optcore_state_destroy(state) == OPTCORE_OK);
}

TEST_CASE("whatever the host's threads leave out, repeat or make up: the same bits") {
    Hosted alone;
    for (int i = 0; i < 3; ++i)
        REQUIRE(alone.step() == OPTCORE_OK);
    const Hosted::Run runs[] = {
        [](std::int32_t n, optcore_work work, void *argument) { // backwards
            for (std::int32_t k = n; k-- > 0;)
                work(argument, k);
        },
        [](std::int32_t, optcore_work, void *) {},
        [](std::int32_t n, optcore_work work, void *argument) { in_order(n - 1, work, argument); },
        [](std::int32_t n, optcore_work work, void *argument) { // twice, and at the same time
            std::thread other([=] { in_order(n, work, argument); });
            in_order(n, work, argument);
            other.join();
        },
        [](std::int32_t n, optcore_work work, void *argument) {
            for (const std::int32_t k : {-1, n, 1 << 30, -(1 << 30)})
                work(argument, k);
            in_order(n, work, argument);
        },
        [](std::int32_t, optcore_work work, void *argument) {
            work(argument, 0);
            throw std::runtime_error("the pool is gone");
        },
    };
    for (const Hosted::Run &run : runs) {
        Hosted hosted(run);
        for (int i = 0; i < 3; ++i)
            REQUIRE(hosted.step() == OPTCORE_OK);
        CHECK(hosted.asked >= 3);
        CHECK(hosted.W == alone.W);
    }
}

TEST_CASE("what a host calls while it runs a step does not come back to it") {
    const std::vector<float> ones(70000, 1);
    double norm = 0;
    int within = 0, deepest = 0;
    Hosted hosted([&](std::int32_t n, optcore_work work, void *argument) {
        deepest = std::max(deepest, ++within);
        auto array = sized<optcore_array>();
        array.data = const_cast<float *>(ones.data());
        array.count = std::int64_t(ones.size());
        CHECK(optcore_norm(&array, 1, 0, &norm) == OPTCORE_OK);
        in_order(n, work, argument);
        --within;
    });
    CHECK(hosted.step() == OPTCORE_OK);
    CHECK(norm == std::sqrt(70000.0));
    CHECK(deepest == 1);
}

#if defined(__unix__) || defined(__APPLE__)
namespace {

/// Whether the child said that all was well, before it hung.
bool child_says_yes(const std::function<bool()> &child) {
    const pid_t id = fork();
    if (id == 0) {
        alarm(20);
        _exit(child() ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(id, &status, 0) == id);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

} // namespace

TEST_CASE("a fork while other threads look handles up") {
    Small small;
    std::atomic<bool> stop{false};
    std::vector<std::thread> readers;
    for (int k = 0; k < 3; ++k)
        readers.emplace_back([&] {
            std::uint64_t steps = 0;
            while (!stop)
                optcore_optimizer_step_count(small.optimizer, &steps);
        });
    for (int i = 0; i < 100; ++i)
        REQUIRE(child_says_yes([&] { return small.step() == OPTCORE_OK && small.steps() == 1; }));
    stop = true;
    for (std::thread &reader : readers)
        reader.join();
}

TEST_CASE("a fork in the midst of another thread's step") {
    bool refused = false, fresh = false;
    Hosted hosted([&](std::int32_t n, optcore_work work, void *argument) {
        std::thread([&] {
            refused = refused || child_says_yes([&] {
                          return hosted.step() == OPTCORE_BUSY && says("forked") &&
                                 optcore_optimizer_destroy(hosted.optimizer) == OPTCORE_BUSY;
                      });
            fresh = fresh || child_says_yes([] {
                        Small small;
                        return small.step() == OPTCORE_OK;
                    });
        }).join();
        in_order(n, work, argument);
    });
    CHECK(hosted.step() == OPTCORE_OK);
    CHECK(refused);
    CHECK(fresh);
}

TEST_CASE("a forked child does not ask the host's threads, which it does not have") {
    Hosted hosted(in_order), alone;
    CHECK(hosted.step() == OPTCORE_OK);
    CHECK(alone.step() == OPTCORE_OK);
    CHECK(alone.step() == OPTCORE_OK);
    const int before = hosted.asked;
    CHECK(child_says_yes([&] {
        return hosted.step() == OPTCORE_OK && hosted.asked == before && hosted.W == alone.W;
    }));
}
#endif
