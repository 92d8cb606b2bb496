/**
 * @file values.hpp
 * @brief Errors, schedules, and values that are numbers or schedules. Included by optcore.hpp.
 */
#ifndef OPTCORE_VALUES_HPP
#define OPTCORE_VALUES_HPP

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "optcore.h"

namespace optcore {
inline namespace v1 {

/** What every function throws where the C function returns a code. */
class Error : public std::runtime_error {
public:
    /** A code, and the library's words for it in this thread. */
    explicit Error(optcore_status status)
        : std::runtime_error(optcore_last_error()), status_(status) {}
    /** The code, such as OPTCORE_BAD_VALUE. */
    optcore_status status() const noexcept { return status_; }

private:
    optcore_status status_;
};

/** Throws unless a call went well. */
inline void check(optcore_status status) {
    if (status != OPTCORE_OK)
        throw Error(status);
}

/** ∞, the default of some limits. */
constexpr double kInfinity = std::numeric_limits<double>::infinity();

class Schedule;

/** A named argument of a schedule: a number, a word, a schedule, or several. Which kind of number
 *  it has to be, the schedule says: {"total", 100} is a count, {"lower", -6} a number. */
class Argument {
public:
    /** A number as it was written; also a bool, for a flag. */
    class Number {
    public:
        template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
        Number(T value) // NOLINT(google-explicit-constructor)
            : value_(double(value)), counts_(std::is_integral_v<T> && !(value < T(0))),
              count_(counts_ ? std::uint64_t(value) : 0) {}
        double value() const noexcept { return value_; }
        /** Whether it is a whole number, 0 or more, written without a point. */
        bool counts() const noexcept { return counts_; }
        std::uint64_t count() const noexcept { return count_; }

    private:
        double value_;
        bool counts_;
        std::uint64_t count_;
    };

    /** A number. */
    template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
    Argument(std::string name, T number) : Argument(std::move(name), {Number(number)}) {
        one_ = true;
    }
    /** Several numbers, {30, 60}. */
    Argument(std::string name, std::initializer_list<Number> numbers) : name_(std::move(name)) {
        for (const Number number : numbers)
            add(number);
    }
    /** Several numbers. */
    template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
    Argument(std::string name, const std::vector<T> &numbers) : name_(std::move(name)) {
        for (const T number : numbers)
            add(number);
    }
    /** A word. */
    Argument(std::string name, const char *word);
    /** Another schedule. */
    Argument(std::string name, const Schedule &schedule);
    /** Several schedules. */
    Argument(std::string name, std::initializer_list<Schedule> schedules);
    /** Several schedules. */
    Argument(std::string name, const std::vector<Schedule> &schedules);

    /** The same for C; it lasts as long as this does. */
    optcore_argument as_c(const std::string &schedule) const;

private:
    void add(Number number) {
        numbers_.push_back(number.value());
        counts_.push_back(number.count());
        all_count_ = all_count_ && number.counts();
    }
    void add(const Schedule &schedule);
    int kind_in(const std::string &schedule) const;
    void expect_counts() const;

    std::string name_, word_;
    std::vector<double> numbers_;
    std::vector<std::uint64_t> counts_;
    bool one_ = false, all_count_ = true;
    std::vector<std::shared_ptr<optcore_schedule>> kept_;
    std::vector<const optcore_schedule *> schedules_;
};

/** A value for every step. Copies share one handle; a schedule never changes.
 *
 *  @code{.cpp}
 *  auto rate = optcore::Schedule("warmup_cosine", {{"peak", 3e-3}, {"warmup", 100}, {"total",
 * 1000}}); double first = rate(0);
 *  @endcode
 */
class Schedule {
public:
    /** The schedule of that name in the catalogue; what is left out has its default. */
    explicit Schedule(const std::string &name, const std::vector<Argument> &arguments = {}) {
        std::vector<optcore_argument> passed;
        for (const Argument &argument : arguments)
            passed.push_back(argument.as_c(name));
        optcore_schedule *made = nullptr;
        check(optcore_schedule_create(name.c_str(), passed.data(), std::int64_t(passed.size()),
                                      &made));
        handle_.reset(made, optcore_schedule_destroy);
    }

    /** The value at a step, 0, 1, ... */
    double operator()(std::uint64_t step) const {
        double value = 0;
        check(optcore_schedule_at(get(), step, &value));
        return value;
    }
    /** The values at steps 0, 1, ..., n − 1. */
    std::vector<double> values(std::size_t n) const {
        std::vector<double> all(n);
        check(optcore_schedule_fill(get(), nullptr, std::int64_t(n), all.data()));
        return all;
    }

    /** This schedule begun so many steps in. */
    Schedule shift(std::uint64_t offset) const {
        return Schedule("shifted", {{"of", *this}, {"offset", offset}});
    }
    /** This schedule read once in so many steps. */
    Schedule every(std::uint64_t steps) const {
        return Schedule("every", {{"of", *this}, {"steps", steps}});
    }
    /** This schedule held between two limits. */
    Schedule clip(double low, double high) const {
        return Schedule("clipped", {{"of", *this}, {"low", low}, {"high", high}});
    }

    /** The handle, for the C functions. */
    const optcore_schedule *get() const noexcept { return handle_.get(); }
    /** The handle and a share in it. */
    const std::shared_ptr<optcore_schedule> &shared() const noexcept { return handle_; }

private:
    std::shared_ptr<optcore_schedule> handle_;
};

/** Two schedules multiplied. */
inline Schedule operator*(const Schedule &a, const Schedule &b) {
    return Schedule("product", {{"of", {a, b}}});
}
/** Two schedules added. */
inline Schedule operator+(const Schedule &a, const Schedule &b) {
    return Schedule("sum", {{"of", {a, b}}});
}
/** A schedule times a number. */
inline Schedule operator*(const Schedule &of, double factor) {
    return Schedule("scaled", {{"of", of}, {"factor", factor}});
}
/** A number times a schedule. */
inline Schedule operator*(double factor, const Schedule &of) { return of * factor; }

/** A hyperparameter: a number, or a schedule. */
class Value {
public:
    /** A number. */
    Value(double number) : number_(number) {} // NOLINT(google-explicit-constructor)
    /** A schedule. */
    Value(const Schedule &schedule) // NOLINT(google-explicit-constructor)
        : schedule_(std::make_shared<Schedule>(schedule)) {}
    /** The schedule, or null. */
    const Schedule *schedule() const noexcept { return schedule_.get(); }
    /** The number, if it is one. */
    double number() const noexcept { return number_; }

private:
    double number_ = 0;
    std::shared_ptr<const Schedule> schedule_;
};

inline Argument::Argument(std::string name, const char *word)
    : name_(std::move(name)), word_(word) {
    one_ = true;
}
inline Argument::Argument(std::string name, const Schedule &schedule) : name_(std::move(name)) {
    one_ = true;
    add(schedule);
}
inline Argument::Argument(std::string name, std::initializer_list<Schedule> schedules)
    : name_(std::move(name)) {
    for (const Schedule &schedule : schedules)
        add(schedule);
}
inline Argument::Argument(std::string name, const std::vector<Schedule> &schedules)
    : name_(std::move(name)) {
    for (const Schedule &schedule : schedules)
        add(schedule);
}

inline void Argument::add(const Schedule &schedule) {
    kept_.push_back(schedule.shared());
    schedules_.push_back(schedule.get());
}

/** What the schedule takes under this name; −1 if it knows no such argument. */
inline int Argument::kind_in(const std::string &schedule) const {
    optcore_argument_info info = {};
    info.struct_size = sizeof info;
    for (std::int64_t i = 0; optcore_schedule_argument(schedule.c_str(), i, &info) == OPTCORE_OK;
         ++i)
        if (name_ == info.name)
            return info.kind;
    return -1;
}

inline void Argument::expect_counts() const {
    if (!all_count_)
        throw std::invalid_argument(name_ +
                                    ": expected whole numbers, 0 or more, written without "
                                    "a point, got " +
                                    std::to_string(numbers_[0]) +
                                    (numbers_.size() > 1 ? ", ..." : "") + "; count from 0 on");
}

inline optcore_argument Argument::as_c(const std::string &schedule) const {
    optcore_argument c = {};
    c.struct_size = sizeof c;
    c.name = name_.c_str();
    c.word = one_ && numbers_.empty() && schedules_.empty() ? word_.c_str() : nullptr;
    c.schedules = schedules_.empty() ? nullptr : schedules_.data();
    c.length = std::int64_t(schedules_.size());
    if (numbers_.empty())
        return c;
    const int kind = kind_in(schedule);
    const bool count = kind == OPTCORE_ARG_COUNT || kind == OPTCORE_ARG_FLAG;
    if (count || kind == OPTCORE_ARG_COUNTS)
        expect_counts();
    if (one_) {
        if (count)
            c.whole = counts_[0];
        else
            c.number = numbers_[0];
        return c;
    }
    c.length = std::int64_t(numbers_.size());
    if (kind == OPTCORE_ARG_COUNTS)
        c.wholes = counts_.data();
    else
        c.numbers = numbers_.data();
    return c;
}

} // namespace v1
} // namespace optcore

#endif
