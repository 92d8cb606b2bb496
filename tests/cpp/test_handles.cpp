// Handles that are none, are no longer one, or are of another kind.
#include "common.h"

TEST_CASE("a handle is destroyed once") {
    optcore_optimizer *optimizer = nullptr;
    REQUIRE(optcore_optimizer_create("sgd", &optimizer) == OPTCORE_OK);
    CHECK(optcore_optimizer_destroy(optimizer) == OPTCORE_OK);
    CHECK(optcore_optimizer_destroy(optimizer) == OPTCORE_BAD_HANDLE);
    CHECK(says("destroyed"));
    CHECK(optcore_optimizer_set(optimizer, 0, "lr", 1) == OPTCORE_BAD_HANDLE);

    optcore_schedule *schedule = constant(1);
    CHECK(optcore_schedule_destroy(schedule) == OPTCORE_OK);
    CHECK(optcore_schedule_destroy(schedule) == OPTCORE_BAD_HANDLE);
    double value = 0;
    CHECK(optcore_schedule_at(schedule, 0, &value) == OPTCORE_BAD_HANDLE);

    optcore_state *state = nullptr;
    REQUIRE(optcore_state_create(&state) == OPTCORE_OK);
    CHECK(optcore_state_destroy(state) == OPTCORE_OK);
    CHECK(optcore_state_destroy(state) == OPTCORE_BAD_HANDLE);
}

TEST_CASE("a handle of another kind is refused, and stays what it is") {
    Small small;
    optcore_schedule *const schedule = constant(1);
    auto *const as_optimizer = reinterpret_cast<optcore_optimizer *>(schedule);
    auto *const as_schedule = reinterpret_cast<optcore_schedule *>(small.optimizer);
    auto *const as_state = reinterpret_cast<optcore_state *>(small.optimizer);
    CHECK(optcore_optimizer_destroy(as_optimizer) == OPTCORE_BAD_HANDLE);
    CHECK(says("a schedule"));
    CHECK(optcore_schedule_destroy(as_schedule) == OPTCORE_BAD_HANDLE);
    CHECK(optcore_state_destroy(as_state) == OPTCORE_BAD_HANDLE);
    CHECK(optcore_optimizer_set_schedule(small.optimizer, 0, "lr", as_schedule) ==
          OPTCORE_BAD_HANDLE);
    CHECK(optcore_optimizer_load(small.optimizer, as_state) == OPTCORE_BAD_HANDLE);
    double value = 0;
    CHECK(optcore_schedule_at(as_schedule, 0, &value) == OPTCORE_BAD_HANDLE);
    int number = 3; // no handle at all
    CHECK(optcore_schedule_destroy(reinterpret_cast<optcore_schedule *>(&number)) ==
          OPTCORE_BAD_HANDLE);
    CHECK(small.step() == OPTCORE_OK);
    CHECK(optcore_schedule_destroy(schedule) == OPTCORE_OK);
}

TEST_CASE("a schedule may be destroyed while an optimizer and another schedule use it") {
    Small small;
    optcore_schedule *schedule = constant(0.25);
    auto of = sized<optcore_argument>(), factor = sized<optcore_argument>();
    const optcore_schedule *const inner[] = {schedule};
    of.name = "of";
    of.schedules = inner;
    of.length = 1;
    factor.name = "factor";
    factor.number = 2;
    const optcore_argument arguments[] = {of, factor};
    optcore_schedule *twice = nullptr;
    REQUIRE(optcore_schedule_create("scaled", arguments, 2, &twice) == OPTCORE_OK);
    REQUIRE(optcore_optimizer_set_schedule(small.optimizer, 0, "lr", twice) == OPTCORE_OK);
    CHECK(optcore_schedule_destroy(schedule) == OPTCORE_OK);
    CHECK(optcore_schedule_destroy(twice) == OPTCORE_OK);
    double rate = 0;
    CHECK(optcore_optimizer_get(small.optimizer, 0, "lr", &rate) == OPTCORE_OK);
    CHECK(rate == 0.5);
    CHECK(small.step() == OPTCORE_OK);
}
