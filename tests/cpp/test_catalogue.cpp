// The catalogue of optimizers, names that are not in it, and the library itself.
#include "common.h"

TEST_CASE("every optimizer lists its values, and is made or refused") {
    CHECK(optcore_abi_version() == OPTCORE_ABI_VERSION);
    CHECK(std::string(optcore_version()).size() >= 5);
    int made = 0, refused = 0;
    for (std::int64_t i = 0; i < optcore_rule_count(); ++i) {
        auto info = sized<optcore_rule_info>();
        REQUIRE(optcore_rule_at(i, &info) == OPTCORE_OK);
        auto same = sized<optcore_rule_info>();
        CHECK(optcore_rule_find(info.title, &same) == OPTCORE_OK);
        CHECK(same.name == info.name);
        optcore_optimizer *optimizer = nullptr;
        const optcore_status status = optcore_optimizer_create(info.name, &optimizer);
        if (!info.available) {
            CHECK(status == OPTCORE_UNSUPPORTED);
            CHECK(says("needs NumPy"));
            CHECK(optimizer == nullptr);
            ++refused;
            continue;
        }
        REQUIRE(status == OPTCORE_OK);
        ++made;
        for (std::int64_t k = 0; k < info.values; ++k) {
            auto value = sized<optcore_value_info>();
            REQUIRE(optcore_rule_value(info.name, k, &value) == OPTCORE_OK);
            double now = -1;
            CHECK(optcore_optimizer_get(optimizer, 0, value.name, &now) == OPTCORE_OK);
            CHECK(now == value.initial);
            CHECK(optcore_optimizer_set(optimizer, 0, value.name, now) == OPTCORE_OK);
        }
        auto value = sized<optcore_value_info>();
        CHECK(optcore_rule_value(info.name, info.values, &value) == OPTCORE_OUT_OF_RANGE);
        CHECK(optcore_optimizer_destroy(optimizer) == OPTCORE_OK);
    }
    CHECK(made >= 30);
    CHECK(refused >= 4);
    auto info = sized<optcore_rule_info>();
    CHECK(optcore_rule_at(-1, &info) == OPTCORE_OUT_OF_RANGE);
    CHECK(optcore_rule_at(optcore_rule_count(), &info) == OPTCORE_OUT_OF_RANGE);
}

TEST_CASE("on an unknown name the message lists the near ones") {
    Small small;
    optcore_optimizer *optimizer = nullptr;
    CHECK(optcore_optimizer_create("adamww", &optimizer) == OPTCORE_UNKNOWN_NAME);
    CHECK(says("did you mean adamw"));
    CHECK(optcore_optimizer_set(small.optimizer, 0, "learning_rate", 1) == OPTCORE_UNKNOWN_NAME);
    CHECK(optcore_optimizer_set(small.optimizer, 0, "weight_decy", 1) == OPTCORE_UNKNOWN_NAME);
    CHECK(says("did you mean weight_decay"));
    CHECK(optcore_optimizer_set_state_dtype(small.optimizer, 0, "exp_avgs", OPTCORE_BF16) ==
          OPTCORE_UNKNOWN_NAME);
    CHECK(says("did you mean exp_avg"));
    optcore_schedule *schedule = nullptr;
    CHECK(optcore_schedule_create("cosin", nullptr, 0, &schedule) == OPTCORE_UNKNOWN_NAME);
    CHECK(says("did you mean cosine"));
    auto argument = sized<optcore_argument>();
    argument.name = "valu";
    CHECK(optcore_schedule_create("constant", &argument, 1, &schedule) == OPTCORE_UNKNOWN_NAME);
    CHECK(says("did you mean value"));
    CHECK(optcore_use_isa("x86-64-v9") == OPTCORE_UNKNOWN_NAME);
    const std::string long_name(100000, 'x');
    CHECK(optcore_optimizer_create(long_name.c_str(), &optimizer) == OPTCORE_UNKNOWN_NAME);
}

TEST_CASE("codes and dtypes have names") {
    CHECK(std::string(optcore_status_name(OPTCORE_OK)) == "OPTCORE_OK");
    CHECK(std::string(optcore_status_name(OPTCORE_BAD_STATE)) == "OPTCORE_BAD_STATE");
    CHECK(std::string(optcore_status_name(OPTCORE_INTERNAL)) == "OPTCORE_INTERNAL");
    CHECK(std::string(optcore_status_name(-1)) == "unknown");
    CHECK(std::string(optcore_status_name(99)) == "unknown");
    CHECK(optcore_dtype_bytes(OPTCORE_F64) == 8);
    CHECK(optcore_dtype_bytes(OPTCORE_U64) == 8);
    CHECK(optcore_dtype_bytes(-1) == 0);
    CHECK(std::string(optcore_dtype_name(OPTCORE_BF16)) == "bfloat16");
    CHECK(std::string(optcore_dtype_name(99)) == "no dtype");
}

TEST_CASE("every level gives the same bits") {
    std::vector<float> first;
    const char *before = nullptr, *level = nullptr;
    REQUIRE(optcore_isa(&before) == OPTCORE_OK);
    const std::string at_start = before;
    for (std::int64_t i = 0; optcore_available_isa(i, &level) == OPTCORE_OK; ++i) {
        REQUIRE(optcore_use_isa(level) == OPTCORE_OK);
        const char *now = nullptr;
        CHECK(optcore_isa(&now) == OPTCORE_OK);
        CHECK(std::string(now) == level);
        Small small;
        CHECK(small.step() == OPTCORE_OK);
        if (first.empty())
            first = small.W;
        CHECK(small.W == first);
    }
    CHECK(!first.empty());
    CHECK(optcore_use_isa(at_start.c_str()) == OPTCORE_OK);
}

TEST_CASE("the number of threads") {
    std::int32_t before = 0, now = 0;
    CHECK(optcore_get_threads(&before) == OPTCORE_OK);
    CHECK(before >= 1);
    CHECK(optcore_set_threads(-1) == OPTCORE_BAD_VALUE);
    CHECK(optcore_set_threads(3) == OPTCORE_OK);
    CHECK(optcore_get_threads(&now) == OPTCORE_OK);
    CHECK(now == (optcore_has_openmp() ? 3 : 1));
    CHECK(optcore_set_threads(0) == OPTCORE_OK);
    CHECK(optcore_get_threads(&now) == OPTCORE_OK);
    CHECK(now == before);
}
