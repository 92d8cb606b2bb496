// Every function, with every pointer NULL in turn. tests/test_native.py holds that none is left
// out.
#include "common.h"

TEST_CASE("a NULL where a pointer has to be is an error, and nothing changes") {
    Small small;
    REQUIRE(small.step() == OPTCORE_OK);
    const auto before = small.W;
    optcore_optimizer *const opt = small.optimizer;
    optcore_schedule *const schedule = constant(0.5);
    optcore_state *state = nullptr;
    REQUIRE(optcore_optimizer_save(opt, &state) == OPTCORE_OK);

    auto rule = sized<optcore_rule_info>();
    auto value = sized<optcore_value_info>();
    auto argument = sized<optcore_argument_info>();
    auto array = sized<optcore_array>();
    auto header = sized<optcore_state_header>();
    auto saved_value = sized<optcore_state_value>();
    auto saved_tensor = sized<optcore_state_tensor>();
    const auto step = small.given();
    double number = 0;
    std::int64_t count = 0;
    std::uint64_t steps = 0;
    optcore_optimizer *made = nullptr;
    optcore_schedule *made_schedule = nullptr;

#define IS_NULL(call) CHECK_MESSAGE((call) == OPTCORE_NULL_POINTER, #call)
    IS_NULL(optcore_norm(nullptr, 1, 0, &number));
    IS_NULL(optcore_norm(&array, 0, 0, nullptr));
    IS_NULL(optcore_clip_factor(1, 1, nullptr));
    IS_NULL(optcore_get_threads(nullptr));
    IS_NULL(optcore_isa(nullptr));
    IS_NULL(optcore_available_isa(0, nullptr));
    IS_NULL(optcore_use_isa(nullptr));
    IS_NULL(optcore_rule_at(0, nullptr));
    IS_NULL(optcore_rule_find(nullptr, &rule));
    IS_NULL(optcore_rule_find("adam", nullptr));
    IS_NULL(optcore_rule_value(nullptr, 0, &value));
    IS_NULL(optcore_rule_value("adam", 0, nullptr));
    IS_NULL(optcore_schedule_info_at(0, nullptr));
    IS_NULL(optcore_schedule_argument(nullptr, 0, &argument));
    IS_NULL(optcore_schedule_argument("cosine", 0, nullptr));
    IS_NULL(optcore_schedule_create(nullptr, nullptr, 0, &made_schedule));
    IS_NULL(optcore_schedule_create("constant", nullptr, 1, &made_schedule));
    IS_NULL(optcore_schedule_create("constant", nullptr, 0, nullptr));
    IS_NULL(optcore_schedule_at(nullptr, 0, &number));
    IS_NULL(optcore_schedule_at(schedule, 0, nullptr));
    IS_NULL(optcore_schedule_fill(nullptr, &steps, 1, &number));
    IS_NULL(optcore_schedule_fill(schedule, &steps, 1, nullptr));
    IS_NULL(optcore_optimizer_create(nullptr, &made));
    IS_NULL(optcore_optimizer_create("adam", nullptr));
    IS_NULL(optcore_optimizer_add_group(nullptr, &count));
    IS_NULL(optcore_optimizer_set(nullptr, 0, "lr", 1));
    IS_NULL(optcore_optimizer_set(opt, 0, nullptr, 1));
    IS_NULL(optcore_optimizer_set_schedule(nullptr, 0, "lr", schedule));
    IS_NULL(optcore_optimizer_set_schedule(opt, 0, nullptr, schedule));
    IS_NULL(optcore_optimizer_set_schedule(opt, 0, "lr", nullptr));
    IS_NULL(optcore_optimizer_get(nullptr, 0, "lr", &number));
    IS_NULL(optcore_optimizer_get(opt, 0, nullptr, &number));
    IS_NULL(optcore_optimizer_get(opt, 0, "lr", nullptr));
    IS_NULL(optcore_optimizer_set_options(nullptr, nullptr));
    IS_NULL(optcore_optimizer_set_options(opt, nullptr));
    IS_NULL(optcore_optimizer_set_state_dtype(nullptr, 0, nullptr, OPTCORE_BF16));
    IS_NULL(optcore_optimizer_add(nullptr, 0, nullptr, &count));
    IS_NULL(optcore_optimizer_state_bytes(nullptr, nullptr));
    IS_NULL(optcore_optimizer_state_bytes(opt, nullptr));
    IS_NULL(optcore_optimizer_start(nullptr, nullptr, 0));
    IS_NULL(optcore_optimizer_step(nullptr, &step, nullptr));
    IS_NULL(optcore_optimizer_step(opt, nullptr, nullptr));
    IS_NULL(optcore_optimizer_update_hessian(nullptr, &step, nullptr));
    IS_NULL(optcore_optimizer_update_hessian(opt, nullptr, nullptr));
    IS_NULL(optcore_optimizer_evaluated(nullptr, 0, &number, 8));
    IS_NULL(optcore_optimizer_evaluated(opt, 0, nullptr, 1000));
    IS_NULL(optcore_optimizer_tensor_count(nullptr, &count));
    IS_NULL(optcore_optimizer_tensor_count(opt, nullptr));
    IS_NULL(optcore_optimizer_step_count(nullptr, &steps));
    IS_NULL(optcore_optimizer_step_count(opt, nullptr));
    IS_NULL(optcore_optimizer_tensor_steps(nullptr, 0, &steps));
    IS_NULL(optcore_optimizer_tensor_steps(opt, 0, nullptr));
    IS_NULL(optcore_optimizer_slot_count(nullptr, 0, &count));
    IS_NULL(optcore_optimizer_slot_count(opt, 0, nullptr));
    IS_NULL(optcore_optimizer_slot(nullptr, 0, 0, &array));
    IS_NULL(optcore_optimizer_slot(opt, 0, 0, nullptr));
    optcore_state *made_state = nullptr;
    IS_NULL(optcore_optimizer_save(nullptr, &made_state));
    IS_NULL(optcore_optimizer_save(opt, nullptr));
    IS_NULL(optcore_optimizer_load(nullptr, state));
    IS_NULL(optcore_optimizer_load(opt, nullptr));
    IS_NULL(optcore_state_create(nullptr));
    IS_NULL(optcore_state_get_header(nullptr, &header));
    IS_NULL(optcore_state_get_header(state, nullptr));
    IS_NULL(optcore_state_set_header(nullptr, &header));
    IS_NULL(optcore_state_set_header(state, nullptr));
    IS_NULL(optcore_state_set_header(state, &header)); // its rule
    IS_NULL(optcore_state_value_count(nullptr, 0, &count));
    IS_NULL(optcore_state_value_count(state, 0, nullptr));
    IS_NULL(optcore_state_get_value(nullptr, 0, 0, &saved_value));
    IS_NULL(optcore_state_get_value(state, 0, 0, nullptr));
    IS_NULL(optcore_state_add_value(nullptr, 0, &saved_value));
    IS_NULL(optcore_state_add_value(state, 0, nullptr));
    IS_NULL(optcore_state_add_value(state, 0, &saved_value)); // its name
    IS_NULL(optcore_state_get_tensor(nullptr, 0, &saved_tensor));
    IS_NULL(optcore_state_get_tensor(state, 0, nullptr));
    IS_NULL(optcore_state_add_tensor(nullptr, &saved_tensor, &count));
    IS_NULL(optcore_state_add_tensor(state, nullptr, &count));
    IS_NULL(optcore_state_add_tensor(state, &saved_tensor, &count)); // its name
    IS_NULL(optcore_state_get_array(nullptr, 0, 0, &array));
    IS_NULL(optcore_state_get_array(state, 0, 0, nullptr));
    IS_NULL(optcore_state_add_array(nullptr, 0, &array));
    IS_NULL(optcore_state_add_array(state, 0, nullptr));
    auto nameless = sized<optcore_array>();
    IS_NULL(optcore_state_add_array(state, 0, &nameless));

    // Pointers inside structs.
    auto no_step = sized<optcore_step>();
    no_step.count = 2;
    IS_NULL(optcore_optimizer_step(opt, &no_step, nullptr));
    auto nothing = sized<optcore_executor>();
    nothing.threads = 2;
    auto options = sized<optcore_options>();
    options.executor = &nothing;
    IS_NULL(optcore_optimizer_set_options(opt, &options));
#undef IS_NULL
    CHECK(says("NULL"));

    Small fresh;
    CHECK(optcore_optimizer_add(fresh.optimizer, 0, nullptr, nullptr) == OPTCORE_NULL_POINTER);
    auto no_data = sized<optcore_tensor>();
    no_data.count = 1;
    CHECK(optcore_optimizer_add(fresh.optimizer, 0, &no_data, nullptr) == OPTCORE_NULL_POINTER);

    // Where NULL means something.
    CHECK(optcore_optimizer_destroy(nullptr) == OPTCORE_OK);
    CHECK(optcore_schedule_destroy(nullptr) == OPTCORE_OK);
    CHECK(optcore_state_destroy(nullptr) == OPTCORE_OK);
    CHECK(optcore_norm(nullptr, 0, 0, &number) == OPTCORE_OK);
    CHECK(optcore_schedule_fill(schedule, nullptr, 1, &number) == OPTCORE_OK);
    CHECK(number == 0.5);
    CHECK(optcore_optimizer_add_group(fresh.optimizer, nullptr) == OPTCORE_OK);

    CHECK(made == nullptr);
    CHECK(made_schedule == nullptr);
    CHECK(made_state == nullptr);
    CHECK(small.W == before);
    CHECK(small.steps() == 1);
    CHECK(optcore_schedule_destroy(schedule) == OPTCORE_OK);
    CHECK(optcore_state_destroy(state) == OPTCORE_OK);
}
