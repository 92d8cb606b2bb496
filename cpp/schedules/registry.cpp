#include "registry.h"

#include <cstring>
#include <type_traits>
#include <utility>

#include "constant.h"
#include "cosine.h"
#include "cosine_restarts.h"
#include "exponential.h"
#include "inverse_time.h"
#include "polynomial.h"
#include "reindexed.h"
#include "step.h"
#include "warmup.h"

namespace optcore::schedules {
namespace {

using Counts = std::vector<Count>;

template <class T>
constexpr Kind kind_of() {
    if constexpr (std::is_same_v<T, double>)
        return Kind::number;
    else if constexpr (std::is_same_v<T, Count>)
        return Kind::count;
    else if constexpr (std::is_same_v<T, Counts>)
        return Kind::counts;
    else
        return Kind::schedule;
}

template <class S, class... Types, std::size_t... I>
SchedulePtr make(const std::vector<Value> &values, std::index_sequence<I...>) {
    return std::make_shared<S>(std::get<Types>(values.at(I))...);
}

/// One row of the table: the types of the constructor's parameters, and their names.
template <class S, class... Types, class... Names>
Family row(const char *name, Names... names) {
    static_assert(sizeof...(Types) == sizeof...(Names), "one name for each parameter");
    return {name, S::title, {{names, kind_of<Types>()}...}, [](const std::vector<Value> &values) {
                return make<S, Types...>(values, std::index_sequence_for<Types...>{});
            }};
}

} // namespace

const std::vector<Family> &families() {
    // clang-format off
    static const std::vector<Family> table = {
        row<Constant, double>("constant", "value"),
        row<Step, double, Count, double>("step", "initial", "step_size", "gamma"),
        row<MultiStep, double, Counts, double>("multi_step", "initial", "milestones", "gamma"),
        row<Exponential, double, double>("exponential", "initial", "gamma"),
        row<ExponentialDecay, double, double>("exponential_decay", "initial", "decay"),
        row<InverseTime, double, double>("inverse_time", "initial", "decay"),
        row<Polynomial, double, Count, double, double>(
            "polynomial", "initial", "total", "power", "end"),
        row<Cosine, double, Count, double>("cosine", "initial", "total", "floor"),
        row<CosineRestarts, double, Count, double, double, double>(
            "cosine_restarts", "initial", "period", "t_mul", "m_mul", "floor"),
        row<Warmup, Count, SchedulePtr, double>("warmup", "warmup", "into", "start"),
        row<WarmupCosine, double, Count, Count, double, double>(
            "warmup_cosine", "peak", "warmup", "total", "floor", "start"),
        row<Shifted, SchedulePtr, Count>("shifted", "of", "offset"),
        row<Every, SchedulePtr, Count>("every", "of", "steps"),
    };
    // clang-format on
    return table;
}

const Family *find_family(const char *name) {
    for (const Family &family : families())
        if (std::strcmp(family.name, name) == 0)
            return &family;
    return nullptr;
}

} // namespace optcore::schedules
