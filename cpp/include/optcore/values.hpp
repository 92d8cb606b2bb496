/**
 * @file values.hpp
 * @brief Errors, schedules, and values that are numbers or schedules. Included by optcore.hpp.
 */
#ifndef OPTCORE_VALUES_HPP
#define OPTCORE_VALUES_HPP

#include <cstdint>
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

/** A named argument of a schedule: a number, a whole number, a word, a schedule, or several. */
class Argument {
public:
    /** A number. */
    Argument(std::string name, double number);
    /** A whole number, mostly of steps; also what an int or a bool is. */
    template <class T, class = std::enable_if_t<std::is_integral_v<T>>>
    Argument(std::string name, T whole) : Argument(std::move(name)) {
        if (whole < T(0))
            throw std::invalid_argument(name_ + ": expected 0 or more, got " +
                                        std::to_string(whole) + "; count from 0 on");
        whole_ = std::uint64_t(whole);
        kind_ = OPTCORE_ARG_COUNT;
    }
    /** A word. */
    Argument(std::string name, const char *word);
    /** Another schedule. */
    Argument(std::string name, const Schedule &schedule);
    /** Several numbers. */
    Argument(std::string name, std::vector<double> numbers);
    /** Several whole numbers. */
    Argument(std::string name, std::vector<std::uint64_t> wholes);
    /** Several schedules. */
    Argument(std::string name, const std::vector<Schedule> &schedules);

    /** The same for C; it lasts as long as this does. A whole number counts as a number where the
     *  schedule takes one. */
    optcore_argument as_c(const std::string &schedule) const;

private:
    explicit Argument(std::string name) : name_(std::move(name)) {}

    std::string name_, word_;
    int kind_ = OPTCORE_ARG_NUMBER;
    double number_ = 0;
    std::uint64_t whole_ = 0;
    std::vector<double> numbers_;
    std::vector<std::uint64_t> wholes_;
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
    return Schedule("product", {{"of", std::vector<Schedule>{a, b}}});
}
/** Two schedules added. */
inline Schedule operator+(const Schedule &a, const Schedule &b) {
    return Schedule("sum", {{"of", std::vector<Schedule>{a, b}}});
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

inline Argument::Argument(std::string name, double number) : Argument(std::move(name)) {
    number_ = number;
}
inline Argument::Argument(std::string name, const char *word) : Argument(std::move(name)) {
    word_ = word;
    kind_ = OPTCORE_ARG_WORD;
}
inline Argument::Argument(std::string name, const Schedule &schedule)
    : Argument(std::move(name), std::vector<Schedule>{schedule}) {
    kind_ = OPTCORE_ARG_SCHEDULE;
}
inline Argument::Argument(std::string name, std::vector<double> numbers)
    : Argument(std::move(name)) {
    numbers_ = std::move(numbers);
    kind_ = OPTCORE_ARG_NUMBERS;
}
inline Argument::Argument(std::string name, std::vector<std::uint64_t> wholes)
    : Argument(std::move(name)) {
    wholes_ = std::move(wholes);
    kind_ = OPTCORE_ARG_COUNTS;
}
inline Argument::Argument(std::string name, const std::vector<Schedule> &schedules)
    : Argument(std::move(name)) {
    for (const Schedule &schedule : schedules) {
        kept_.push_back(schedule.shared());
        schedules_.push_back(schedule.get());
    }
    kind_ = OPTCORE_ARG_SCHEDULES;
}

inline optcore_argument Argument::as_c(const std::string &schedule) const {
    optcore_argument c = {};
    c.struct_size = sizeof c;
    c.name = name_.c_str();
    bool number = kind_ == OPTCORE_ARG_NUMBER;
    for (std::int64_t i = 0; kind_ == OPTCORE_ARG_COUNT && !number; ++i) {
        optcore_argument_info info = {};
        info.struct_size = sizeof info;
        if (optcore_schedule_argument(schedule.c_str(), i, &info) != OPTCORE_OK)
            break;
        number = name_ == info.name && info.kind == OPTCORE_ARG_NUMBER;
    }
    if (number)
        c.number = kind_ == OPTCORE_ARG_NUMBER ? number_ : double(whole_);
    else
        c.whole = whole_;
    c.word = kind_ == OPTCORE_ARG_WORD ? word_.c_str() : nullptr;
    c.numbers = numbers_.empty() ? nullptr : numbers_.data();
    c.wholes = wholes_.empty() ? nullptr : wholes_.data();
    c.schedules = schedules_.empty() ? nullptr : schedules_.data();
    c.length = std::int64_t(numbers_.size() + wholes_.size() + schedules_.size());
    return c;
}

} // namespace v1
} // namespace optcore

#endif
