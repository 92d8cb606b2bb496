// Prints one line for every optimizer, each of its options and every format, with a digest of all
// parameters and state after a few steps, and one for every schedule: the same on every machine.
// Every ISA level that this machine runs is tried, and has to come to the same.
#include <cstdio>
#include <cstring>

#include "optcore/optcore.hpp"

namespace {

/// FNV-1a over bytes.
class Digest {
public:
    void add(const void *data, std::size_t bytes) {
        const auto *at = static_cast<const unsigned char *>(data);
        for (std::size_t i = 0; i < bytes; ++i)
            hash_ = (hash_ ^ at[i]) * 0x100000001b3u;
    }
    unsigned long long value() const { return hash_; }

private:
    std::uint64_t hash_ = 0xcbf29ce484222325u;
};

/// Numbers in [-1, 1), with no help from a library that could differ.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed * 2 + 1) {}
    double next() {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return double(std::int64_t(state_) >> 11) / 4503599627370496.0;
    }

private:
    std::uint64_t state_;
};

/// An array of a format, with room for any of them.
struct Buffer {
    std::vector<std::uint64_t> memory;
    std::size_t bytes = 0;

    Buffer(std::size_t count, optcore_dtype dtype, Random &random, double scale)
        : memory(count), bytes(count * optcore_dtype_bytes(dtype)) {
        auto *at = reinterpret_cast<unsigned char *>(memory.data());
        for (std::size_t i = 0; i < count; ++i) {
            const double x = random.next() * scale;
            const float f = float(x);
            std::uint32_t word = 0;
            std::memcpy(&word, &f, 4);
            const std::uint16_t bf16 = std::uint16_t(word >> 16);
            const std::uint16_t f16 = half(word);
            switch (dtype) {
            case OPTCORE_F64: std::memcpy(at + 8 * i, &x, 8); break;
            case OPTCORE_BF16: std::memcpy(at + 2 * i, &bf16, 2); break;
            case OPTCORE_F16: std::memcpy(at + 2 * i, &f16, 2); break;
            default: std::memcpy(at + 4 * i, &f, 4);
            }
        }
    }

    /// A float16 near a float: cut off, zero when it is too small for a normal one.
    static std::uint16_t half(std::uint32_t word) {
        const int exponent = int((word >> 23) & 0xff) - 127 + 15;
        const std::uint32_t sign = (word >> 16) & 0x8000;
        if (exponent <= 0 || exponent >= 31)
            return std::uint16_t(sign);
        return std::uint16_t(sign | std::uint32_t(exponent) << 10 | ((word >> 13) & 0x3ff));
    }
};

struct Case {
    std::string rule, option; // option: what is set to 1, or ""
    optcore_dtype dtype = OPTCORE_F32, state = OPTCORE_F32;
    std::int32_t low_precision = OPTCORE_NEAREST;
    bool around = false; // clipping, averaging, a schedule
};

const optcore::Schedule &rate() {
    static const optcore::Schedule schedule(
        "warmup_cosine", {{"peak", 0.01}, {"start", 0.005}, {"warmup", 2}, {"total", 9}});
    return schedule;
}

/// Steps, and the digest of what they leave behind.
unsigned long long digest(const Case &given) {
    optcore::Optimizer optimizer(given.rule);
    if (!given.option.empty())
        optimizer.set(given.option.c_str(), 1.0);
    if (given.option == "nesterov" && (given.rule == "sgd" || given.rule == "rmsprop"))
        optimizer.set("momentum", 0.9);
    if (given.state != OPTCORE_F32)
        optimizer.set_state_dtype(given.state);
    optcore::Options options;
    options.low_precision = given.low_precision;
    options.seed = 7;
    if (given.around) {
        options.clip_norm = 0.5;
        options.clip_value = 0.25;
        options.average = 1;
        options.average_decay = 0.9;
        optimizer.set("lr", rate());
    }
    optimizer.set_options(options);

    // Several tiles and blocks of sums, odd tails, a matrix, a scalar.
    const std::vector<std::vector<std::int64_t>> shapes = {{131, 67}, {26001}, {}, {3, 5, 7}};
    Random random(11);
    std::vector<Buffer> params, grads;
    std::vector<void *> places;
    for (const auto &shape : shapes) {
        std::size_t count = 1;
        for (const std::int64_t extent : shape)
            count *= std::size_t(extent);
        params.emplace_back(count, given.dtype, random, 1.0);
        grads.emplace_back(count, given.dtype, random, 0.1);
    }
    for (std::size_t i = 0; i < shapes.size(); ++i) {
        optimizer.add(std::to_string(i), params[i].memory.data(), optcore::Dtype(given.dtype),
                      shapes[i]);
        places.push_back(grads[i].memory.data());
    }
    for (int step = 0; step < 3; ++step)
        optimizer.step(places, step == 2 ? 3.0 : 1.0);

    Digest digest;
    for (std::size_t t = 0; t < shapes.size(); ++t) {
        digest.add(params[t].memory.data(), params[t].bytes);
        std::int64_t slots = 0;
        optcore::check(optcore_optimizer_slot_count(optimizer.get(), std::int64_t(t), &slots));
        for (std::int64_t s = 0; s < slots; ++s) {
            optcore_array array = {};
            array.struct_size = sizeof array;
            optcore::check(optcore_optimizer_slot(optimizer.get(), std::int64_t(t), s, &array));
            digest.add(array.name, std::strlen(array.name));
            digest.add(array.data, std::size_t(array.count) * optcore_dtype_bytes(array.dtype));
        }
    }
    return digest.value();
}

using Lines = std::vector<std::string>;

void add(Lines &lines, const std::string &what, unsigned long long digest) {
    char hex[20];
    std::snprintf(hex, sizeof hex, "%016llx", digest);
    lines.push_back(what + ": " + hex);
}

void add(Lines &lines, const Case &given) {
    std::string what = given.rule + " " + (given.option.empty() ? "-" : given.option) + " " +
                       optcore_dtype_name(given.dtype) +
                       " state=" + optcore_dtype_name(given.state) +
                       " low_precision=" + std::to_string(given.low_precision);
    if (given.around)
        what += " around";
    try {
        add(lines, what, digest(given));
    } catch (const optcore::Error &error) { // what a rule refuses, it refuses everywhere
        lines.push_back(what + ": " + optcore_status_name(error.status()));
    }
}

void add_rule(Lines &lines, const optcore_rule_info &rule) {
    Case one;
    one.rule = rule.name;
    for (const optcore_dtype dtype : {OPTCORE_F32, OPTCORE_F64, OPTCORE_BF16, OPTCORE_F16}) {
        one.dtype = dtype;
        one.option = "";
        add(lines, one);
        one.around = true;
        add(lines, one);
        one.around = false;
        for (std::int64_t i = 0; i < rule.values; ++i) {
            optcore_value_info value = {};
            value.struct_size = sizeof value;
            optcore::check(optcore_rule_value(rule.name, i, &value));
            one.option = value.name;
            if (value.kind != OPTCORE_NUMBER && value.initial == 0)
                add(lines, one);
        }
    }
    one.option = "";
    one.dtype = OPTCORE_F32;
    for (const optcore_dtype state : {OPTCORE_BF16, OPTCORE_U8}) {
        one.state = state;
        add(lines, one);
    }
    one.state = OPTCORE_F32;
    one.dtype = OPTCORE_BF16;
    for (const std::int32_t way : {OPTCORE_STOCHASTIC, OPTCORE_MASTER, OPTCORE_SPLIT}) {
        one.low_precision = way;
        add(lines, one);
    }
}

void add_schedule(Lines &lines, const char *name, const std::vector<optcore::Argument> &arguments) {
    const optcore::Schedule schedule(name, arguments);
    const std::vector<double> values = schedule.values(3000); // in blocks
    Digest digest;
    digest.add(values.data(), values.size() * sizeof(double));
    for (std::uint64_t step = 1; step < std::uint64_t(1) << 62; step *= 3) { // one by one
        const double value = schedule(step);
        digest.add(&value, sizeof value);
    }
    add(lines, std::string("schedule ") + name, digest.value());
}

void add_schedules(Lines &lines) {
    using Numbers = std::vector<double>;
    using Counts = std::vector<std::uint64_t>;
    add_schedule(lines, "polynomial", {{"initial", 0.3}, {"total", 1000}, {"power", 1.7}});
    add_schedule(lines, "step", {{"initial", 0.3}, {"step_size", 30}, {"gamma", 0.97}});
    add_schedule(lines, "exponential", {{"initial", 0.3}, {"gamma", 0.9973}});
    add_schedule(lines, "inverse_time", {{"initial", 0.3}, {"decay", 0.013}});
    add_schedule(lines, "inverse_sqrt", {{"initial", 0.3}, {"timescale", 77}});
    add_schedule(lines, "noam", {{"dim", 512}, {"warmup", 400}});
    add_schedule(lines, "cosine", {{"initial", 0.3}, {"total", 1700}, {"exponent", 1.3}});
    add_schedule(lines, "cosine_restarts", {{"initial", 0.3}, {"period", 130}, {"t_mul", 1.3}});
    add_schedule(lines, "warmup_cosine", {{"peak", 0.3}, {"warmup", 130}, {"total", 2300}});
    add_schedule(lines, "one_cycle", {{"peak", 0.3}, {"total", 2100}});
    add_schedule(lines, "rex", {{"initial", 0.3}, {"total", 2100}});
    add_schedule(lines, "tanh", {{"initial", 0.3}, {"total", 2100}});
    add_schedule(lines, "piecewise_linear",
                 {{"steps", Counts{0, 17, 911}}, {"levels", Numbers{0.1, 0.7, 0.3}}});
}

/// All of them, at the ISA level in use.
Lines digests() {
    Lines lines;
    for (std::int64_t i = 0; i < optcore_rule_count(); ++i) {
        optcore_rule_info rule = {};
        rule.struct_size = sizeof rule;
        optcore::check(optcore_rule_at(i, &rule));
        if (rule.available)
            add_rule(lines, rule);
    }
    add_schedules(lines);
    return lines;
}

} // namespace

int main() {
    try {
        const char *best = nullptr, *isa = nullptr;
        optcore::check(optcore_isa(&best));
        const Lines first = digests();
        bool same = true;
        for (std::int64_t i = 0; optcore_available_isa(i, &isa) == OPTCORE_OK; ++i) {
            if (std::strcmp(isa, best) == 0)
                continue;
            optcore::check(optcore_use_isa(isa));
            const Lines lines = digests();
            for (std::size_t k = 0; k < first.size(); ++k) {
                if (lines[k] != first[k]) {
                    std::fprintf(stderr, "%s at %s, %s at %s\n", lines[k].c_str(), isa,
                                 first[k].c_str(), best);
                    same = false;
                }
            }
        }
        for (const std::string &line : first)
            std::printf("%s\n", line.c_str());
        return same ? 0 : 1;
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
