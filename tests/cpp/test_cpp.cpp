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

TEST_CASE("arguments as one writes them") {
    const optcore::Schedule whole("tanh", {{"initial", 1}, {"total", 100}, {"lower", -6}});
    const optcore::Schedule point("tanh", {{"initial", 1.0}, {"total", 100u}, {"lower", -6.0}});
    CHECK(whole.values(110) == point.values(110));
    const optcore::Schedule braces("multi_step", {{"initial", 1}, {"milestones", {30, 60}}});
    const optcore::Schedule vector(
        "multi_step",
        {{"initial", 1.0f}, {"milestones", std::vector<std::int64_t>{30, 60}}, {"gamma", 0.1}});
    CHECK(braces.values(70) == vector.values(70));
    CHECK(optcore::Schedule("multi_step", {{"initial", 1}, {"milestones", {30}}})(30) == 0.1);
    const optcore::Schedule steps("piecewise_constant",
                                  {{"boundaries", {2}}, {"levels", {1, 0.25}}});
    CHECK(steps(0) == 1);
    CHECK(steps(9) == 0.25);
    const optcore::Schedule joined("sequential",
                                   {{"schedules", {braces, steps}}, {"boundaries", {5}}});
    CHECK(joined(5) == 1);
    CHECK(optcore::Schedule("polynomial", {{"initial", 1}, {"total", 5}, {"cycle", true}})(0) == 1);
    CHECK_THROWS_AS(optcore::Schedule("multi_step", {{"initial", 1}, {"milestones", {30, -1}}}),
                    std::invalid_argument);
    CHECK_THROWS_AS(optcore::Schedule("cosine", {{"initial", 1}, {"total", 100.5}}),
                    std::invalid_argument);
    CHECK_THROWS_AS(optcore::Schedule("cosine", {{"initial", 1}, {"totl", 100}}), optcore::Error);
}

TEST_CASE("values that go together are set together") {
    std::vector<float> w = {1, 2};
    optcore::Rprop hyper;
    hyper.step_size_min = 1;
    hyper.step_size_max = 2;
    optcore::Optimizer optimizer(hyper);
    optimizer.add("w", w.data(), {2});
    optimizer.start();
    hyper.step_size_min = 3;
    hyper.step_size_max = 4;
    optimizer.set(hyper);
    CHECK(optimizer.value("step_size_min") == 3);
    hyper.lr = 0.75;
    hyper.eta_minus = -1.0;
    CHECK_THROWS_AS(optimizer.set(hyper), optcore::Error);
    CHECK(optimizer.value("lr") != 0.75);
}

TEST_CASE("gradients of every kind of pointer") {
    std::vector<float> w = {1};
    const std::vector<float> g = {1};
    std::vector<float> h = {1};
    optcore::Optimizer optimizer("sgd");
    CHECK(optimizer.tensor_count() == 0);
    CHECK_THROWS_AS(optimizer.step({}), optcore::Error); // no tensors as yet
    optimizer.set("lr", 0.125);
    optimizer.add("w", w.data(), {1});
    optimizer.step({g.data()});
    optimizer.step({h.data()}, 1.0);
    optimizer.step(std::vector<const void *>{g.data()});
    optimizer.step(std::vector<void *>{h.data()}, 1.0);
    optimizer.step(std::vector<float *>{h.data()});
    CHECK(w[0] == 0.375f);
    CHECK(optimizer.tensor_steps(0) == 5);
    std::vector<float> x(1);
    optimizer.evaluated(0, x.data(), sizeof(float));
    CHECK(x == w);
}

TEST_CASE("Sophia's estimates") {
    std::vector<float> w = {1, 1};
    const std::vector<float> estimate = {2, 4};
    optcore::Optimizer optimizer("sophia");
    optimizer.add("w", w.data(), {2});
    optimizer.update_hessian({estimate.data()});
    optimizer.update_hessian(std::vector<const float *>{estimate.data()});
    const optcore_array hessian = optimizer.state(0, "hessian");
    CHECK(static_cast<const float *>(hessian.data)[1] > 0);
    CHECK(optimizer.step_count() == 0);
}

TEST_CASE("saved state, piece by piece") {
    std::vector<float> w = {1, 2}, g = {1, -1};
    optcore::Optimizer first("adam");
    first.add("w", w.data(), {2});
    first.step({g.data()});
    const optcore::State saved = first.save();
    optcore::State built;
    built.set_header(saved.header().rule, saved.header().step);
    for (const optcore_state_value &value : saved.values(0))
        built.add_value(0, value.name, value.value, value.scheduled == 1);
    const optcore_state_tensor tensor = saved.tensor(0);
    CHECK(built.add_tensor(tensor.name, tensor.steps) == 0);
    for (std::int64_t i = 0; i < tensor.arrays; ++i)
        built.add_array(0, saved.array(0, i));
    std::vector<float> v = w;
    optcore::Optimizer second("adam");
    second.add("w", v.data(), {2});
    second.start();
    second.load(built);
    first.step({g.data()});
    second.step({g.data()});
    CHECK(v == w);
    CHECK(second.step_count() == 2);
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
