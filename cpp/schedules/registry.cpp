#include "registry.h"

#include <cstring>
#include <type_traits>
#include <utility>

#include "combined.h"
#include "constant.h"
#include "cosine.h"
#include "cosine_restarts.h"
#include "cyclic.h"
#include "exponential.h"
#include "inverse_sqrt.h"
#include "inverse_time.h"
#include "linear.h"
#include "lr_range_test.h"
#include "mapped.h"
#include "noam.h"
#include "one_cycle.h"
#include "piecewise_constant.h"
#include "piecewise_linear.h"
#include "polynomial.h"
#include "reindexed.h"
#include "rex.h"
#include "sequential.h"
#include "slanted_triangular.h"
#include "step.h"
#include "tanh.h"
#include "warmup.h"
#include "wsd.h"

namespace optcore::schedules {
namespace {

using Word = std::string;
using Numbers = std::vector<double>;
using Counts = std::vector<Count>;
using Schedules = std::vector<SchedulePtr>;

/// The place of a type among the alternatives of Value.
template <class T, std::size_t I = 0>
constexpr Kind kind_of() {
    if constexpr (std::is_same_v<T, std::variant_alternative_t<I, Value>>)
        return static_cast<Kind>(I);
    else
        return kind_of<T, I + 1>();
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
        row<Linear, double, Count, double>("linear", "initial", "total", "end"),
        row<Polynomial, double, Count, double, double, bool>(
            "polynomial", "initial", "total", "power", "end", "cycle"),
        row<Step, double, Count, double>("step", "initial", "step_size", "gamma"),
        row<MultiStep, double, Counts, double>("multi_step", "initial", "milestones", "gamma"),
        row<PiecewiseConstant, Numbers, Counts>("piecewise_constant", "levels", "boundaries"),
        row<PiecewiseLinear, Counts, Numbers, Word>("piecewise_linear", "steps", "levels", "shape"),
        row<Exponential, double, double, Count>("exponential", "initial", "gamma", "steps"),
        row<ExponentialDecay, double, double, Count>(
            "exponential_decay", "initial", "decay", "steps"),
        row<InverseTime, double, double, Count, bool>(
            "inverse_time", "initial", "decay", "steps", "staircase"),
        row<InverseSqrt, double, Count>("inverse_sqrt", "initial", "timescale"),
        row<Noam, Count, Count, double>("noam", "dim", "warmup", "scale"),
        row<Cosine, double, Count, double, double>(
            "cosine", "initial", "total", "floor", "exponent"),
        row<CosineRestarts, double, Count, double, double, double>(
            "cosine_restarts", "initial", "period", "t_mul", "m_mul", "floor"),
        row<Warmup, Count, SchedulePtr, double, Word>(
            "warmup", "warmup", "into", "start", "shape"),
        row<WarmupCosine, double, Count, Count, double, double>(
            "warmup_cosine", "peak", "warmup", "total", "floor", "start"),
        row<OneCycle, double, Count, double, double, double, Count, Word>(
            "one_cycle", "peak", "total", "rise", "div", "final_div", "phases", "shape"),
        row<OneCycleMomentum, double, double, Count, double, Count, Word>(
            "one_cycle_momentum", "low", "high", "total", "rise", "phases", "shape"),
        row<Cyclic, double, double, Count, Count, Word, double>(
            "cyclic", "low", "high", "up", "down", "mode", "gamma"),
        row<WSD, double, Count, Count, Count, Word, double, double>(
            "wsd", "peak", "warmup", "total", "decay", "tail", "floor", "start"),
        row<LRRangeTest, double, double, Count, Word>(
            "lr_range_test", "low", "high", "total", "shape"),
        row<REX, double, Count, double>("rex", "initial", "total", "floor"),
        row<SlantedTriangular, double, Count, double, double>(
            "slanted_triangular", "peak", "total", "cut", "ratio"),
        row<Tanh, double, Count, double, double, double>(
            "tanh", "initial", "total", "lower", "upper", "floor"),
        row<Sequential, Schedules, Counts>("sequential", "schedules", "boundaries"),
        row<Product, Schedules>("product", "of"),
        row<Sum, Schedules>("sum", "of"),
        row<Scaled, SchedulePtr, double>("scaled", "of", "factor"),
        row<Clipped, SchedulePtr, double, double>("clipped", "of", "low", "high"),
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
