// Schedules: arguments that are wrong, defaults, and the values at many steps.
#include "common.h"

namespace {

optcore_argument number(const char *name, double value) {
    auto argument = sized<optcore_argument>();
    argument.name = name;
    argument.number = value;
    return argument;
}

optcore_argument whole(const char *name, std::uint64_t value) {
    auto argument = sized<optcore_argument>();
    argument.name = name;
    argument.whole = value;
    return argument;
}

optcore_status create(const char *name, std::vector<optcore_argument> arguments,
                      optcore_schedule **schedule) {
    return optcore_schedule_create(name, arguments.data(), std::int64_t(arguments.size()),
                                   schedule);
}

} // namespace

TEST_CASE("what is left out has its default") {
    optcore_schedule *schedule = nullptr, *full = nullptr;
    REQUIRE(create("cosine", {number("initial", 0.5), whole("total", 10)}, &schedule) ==
            OPTCORE_OK);
    REQUIRE(create("cosine",
                   {whole("total", 10), number("exponent", 1), number("floor", 0),
                    number("initial", 0.5)},
                   &full) == OPTCORE_OK);
    std::vector<double> a(300), b(300);
    CHECK(optcore_schedule_fill(schedule, nullptr, 300, a.data()) == OPTCORE_OK);
    std::vector<std::uint64_t> steps(300);
    for (std::size_t i = 0; i < steps.size(); ++i)
        steps[i] = i;
    CHECK(optcore_schedule_fill(full, steps.data(), 300, b.data()) == OPTCORE_OK);
    CHECK(a == b);
    CHECK(a[0] == 0.5);
    CHECK(a[299] == 0);
    double one = 0;
    CHECK(optcore_schedule_at(schedule, 7, &one) == OPTCORE_OK);
    CHECK(one == a[7]);
    CHECK(optcore_schedule_destroy(schedule) == OPTCORE_OK);
    CHECK(optcore_schedule_destroy(full) == OPTCORE_OK);
}

TEST_CASE("arguments that are wrong") {
    optcore_schedule *schedule = nullptr;
    CHECK(create("cosine", {number("initial", 0.5)}, &schedule) == OPTCORE_BAD_VALUE);
    CHECK(says("cosine.total"));
    CHECK(create("cosine", {number("initial", 0.5), number("total", 10)}, &schedule) ==
          OPTCORE_BAD_VALUE);
    CHECK(says("the field whole alone"));
    CHECK(create("cosine", {whole("initial", 1), whole("total", 10)}, &schedule) ==
          OPTCORE_BAD_VALUE);
    CHECK(create("constant", {number("value", 1), number("value", 1)}, &schedule) ==
          OPTCORE_BAD_VALUE);
    CHECK(create("cosine", {number("initial", 0.5), whole("total", 0)}, &schedule) ==
          OPTCORE_BAD_VALUE);
    CHECK(says("Cosine.total"));
    auto word = sized<optcore_argument>();
    word.name = "shape";
    word.word = "crooked";
    CHECK(create("lr_range_test", {number("low", 1), number("high", 2), whole("total", 5), word},
                 &schedule) == OPTCORE_BAD_VALUE);
    word.word = nullptr;
    CHECK(create("lr_range_test", {number("low", 1), number("high", 2), whole("total", 5), word},
                 &schedule) == OPTCORE_NULL_POINTER);
    CHECK(create("polynomial", {number("initial", 1), whole("total", 5), whole("cycle", 2)},
                 &schedule) == OPTCORE_BAD_VALUE);
    auto of = sized<optcore_argument>();
    of.name = "of";
    CHECK(create("shifted", {of, whole("offset", 1)}, &schedule) == OPTCORE_BAD_VALUE);
    const optcore_schedule *const none[] = {nullptr};
    of.schedules = none;
    of.length = 1;
    CHECK(create("shifted", {of, whole("offset", 1)}, &schedule) == OPTCORE_NULL_POINTER);
    of.schedules = nullptr;
    CHECK(create("product", {of}, &schedule) == OPTCORE_NULL_POINTER);
    of.length = -1;
    CHECK(create("product", {of}, &schedule) == OPTCORE_BAD_VALUE);
    CHECK(optcore_schedule_create("constant", &of, -1, &schedule) == OPTCORE_BAD_VALUE);
    CHECK(schedule == nullptr);
}

TEST_CASE("the catalogue of schedules") {
    CHECK(optcore_schedule_count() >= 25);
    for (std::int64_t i = 0; i < optcore_schedule_count(); ++i) {
        auto info = sized<optcore_schedule_info>();
        REQUIRE(optcore_schedule_info_at(i, &info) == OPTCORE_OK);
        for (std::int64_t k = 0; k < info.arguments; ++k) {
            auto argument = sized<optcore_argument_info>();
            CHECK(optcore_schedule_argument(info.name, k, &argument) == OPTCORE_OK);
            CHECK(std::string(argument.name).size() > 0);
        }
        auto argument = sized<optcore_argument_info>();
        CHECK(optcore_schedule_argument(info.title, info.arguments, &argument) ==
              OPTCORE_OUT_OF_RANGE);
    }
    auto info = sized<optcore_schedule_info>();
    CHECK(optcore_schedule_info_at(-1, &info) == OPTCORE_OUT_OF_RANGE);
}
