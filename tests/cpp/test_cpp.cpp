// The C++ interface.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "optcore/optcore.hpp"

TEST_CASE("an optimizer from a struct of hyperparameters") {
    std::vector<float> W = {1, -2}, g = {4, -0.25f};
    optcore::AdamW hyper;
    hyper.lr = 0.25;
    hyper.eps = 0.0;
    hyper.weight_decay = 0.0;
    optcore::Optimizer optimizer(hyper);
    optimizer.add("W", W.data(), {2});
    CHECK(optimizer.step_count() == 0);
    const auto result = optimizer.step({g.data()});
    CHECK(result.stepped == 1);
    CHECK(std::fabs(W[0] - 0.75f) < 1e-6f);
    CHECK(std::fabs(W[1] + 1.75f) < 1e-6f);
    CHECK(optimizer.step_count() == 1);
    CHECK(optimizer.value("lr") == 0.25);
    CHECK(optimizer.state(0, "exp_avg").count == 2);
    CHECK_THROWS_AS(optimizer.state(0, "velocity"), std::out_of_range);
}

TEST_CASE("errors are exceptions with a code and a message") {
    optcore::Optimizer optimizer("sgd");
    try {
        optimizer.set("lr", -1.0);
        FAIL("expected an exception");
    } catch (const optcore::Error &error) {
        CHECK(error.status() == OPTCORE_BAD_VALUE);
        CHECK(std::string(error.what()).find("Invalid learning rate") != std::string::npos);
    }
    CHECK_THROWS_AS(optcore::Optimizer("muon"), optcore::Error);
    CHECK_THROWS_AS(optcore::Schedule("cosine"), optcore::Error);
    CHECK_THROWS_AS(optcore::Schedule("cosine", {{"initial", 1.0}, {"total", -1}}),
                    std::invalid_argument);
}

TEST_CASE("schedules, alone and combined") {
    const optcore::Schedule cosine("cosine", {{"initial", 1}, {"total", 10}});
    CHECK(cosine(0) == 1);
    CHECK(cosine.values(11)[10] == 0);
    const optcore::Schedule step("step", {{"initial", 1.0}, {"step_size", 2}, {"gamma", 0.5}});
    CHECK((0.5 * step + cosine)(0) == 1.5);
    CHECK((step * step)(2) == 0.25);
    CHECK(step.shift(1)(1) == 0.5);
    CHECK(step.every(2)(3) == 1);
    CHECK(step.clip(0.6, 2)(2) == 0.6);
    const optcore::Schedule pieces("piecewise_linear", {{"steps", std::vector<std::uint64_t>{0, 4}},
                                                        {"levels", std::vector<double>{0, 1}}});
    CHECK(pieces(1) == 0.25);
    const optcore::Schedule joined("sequential",
                                   {{"schedules", std::vector<optcore::Schedule>{step, cosine}},
                                    {"boundaries", std::vector<std::uint64_t>{5}}});
    CHECK(joined(5) == 1);
    const optcore::Schedule test("lr_range_test",
                                 {{"low", 1.0}, {"high", 3.0}, {"total", 5}, {"shape", "linear"}});
    CHECK(test(0) == 1);

    std::vector<double> w = {1};
    std::vector<double> g = {1};
    optcore::SGD hyper;
    hyper.lr = step;
    optcore::Optimizer optimizer(hyper);
    optimizer.add("w", w.data(), {});
    for (int i = 0; i < 4; ++i)
        optimizer.step({g.data()});
    CHECK(w[0] == 1 - 1 - 1 - 0.5 - 0.5);
}

TEST_CASE("saving, loading, options, formats, own memory") {
    std::vector<float> a(300, 1), b, g(300);
    for (std::size_t i = 0; i < g.size(); ++i)
        g[i] = float(int(i % 7) - 3);
    optcore::Options options;
    options.clip_norm = 1;
    options.average = 1;
    options.average_decay = 0.5;
    optcore::Optimizer first("nadam");
    first.set_options(options);
    first.set_state_dtype(OPTCORE_U8, "exp_avg_sq");
    first.add("a", a.data(), {30, 10});
    first.step({g.data()});
    CHECK(std::isfinite(first.step({g.data()}).grad_norm));
    b = a;
    optcore::Optimizer second("nadam");
    second.set_options(options);
    second.set_state_dtype(OPTCORE_U8, "exp_avg_sq");
    second.add("a", b.data(), {30, 10});
    std::vector<unsigned char> memory(second.state_bytes());
    second.start(memory.data(), memory.size());
    second.load(first.save());
    first.step({g.data()});
    second.step({g.data()});
    CHECK(a == b);
    CHECK(first.state(0, "ema").count == 300);
    CHECK(first.state(0, "exp_avg_sq_scale").count == 2);
    CHECK(first.state(0, "mu_product").ndim == 0);
    optcore::Optimizer moved = std::move(second);
    CHECK(moved.step_count() == 3);
}
