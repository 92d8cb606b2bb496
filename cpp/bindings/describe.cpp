#include "describe.h"

#include <algorithm>

namespace optcore {

RuleId rule_named(const std::string &name) {
    RuleId id;
    if (find_rule(name, &id))
        return id;
    std::string known;
    for (int i = 0; i < kRules; ++i)
        known += (i ? ", " : "") + std::string(rule_info(static_cast<RuleId>(i)).name);
    throw py::value_error("rule: expected one of " + known + ", got '" + name +
                          "'; see optcore.rules()");
}

Group make_group(const std::string &rule, unsigned variant, bool decoupled, bool maximize,
                 const std::vector<double> &hypers) {
    Group group;
    group.rule = rule_named(rule);
    const RuleInfo &info = rule_info(group.rule);
    if (int(hypers.size()) != info.hypers_in_all())
        throw py::value_error("hypers: expected " + std::to_string(info.hypers_in_all()) +
                              " values, got " + std::to_string(hypers.size()) +
                              "; see optcore.rules()");
    for (int i = 0; i < info.hypers_in_all(); ++i) {
        const std::string error = hyper_error(info.hyper(i), hypers[i]);
        if (!error.empty())
            throw py::value_error(error);
        group.hyper[i] = hypers[i];
    }
    if (variant >= 1u << info.options.count())
        throw py::value_error("variant: expected less than " +
                              std::to_string(1u << info.options.count()) + ", got " +
                              std::to_string(variant) + "; see optcore.rules()");
    group.variant = variant;
    group.decoupled = decoupled || info.factored; // a factored rule's decay is always decoupled
    group.maximize = maximize;
    return group;
}

namespace {

/// The shapes of a factored rule's row and column factors.
std::vector<py::ssize_t> factor_shape(const Param &param, bool of_rows) {
    std::vector<py::ssize_t> shape = param.shape;
    shape[shape.size() - (of_rows ? 1 : 2)] = 1;
    return shape;
}

int64_t elements(const std::vector<py::ssize_t> &shape) {
    int64_t n = 1;
    for (auto extent : shape)
        n *= extent;
    return n;
}

} // namespace

Tensor describe(const Group &group, int group_index, const Param &param,
                const std::vector<py::object> &slots, const py::object &scalars,
                const std::string &suffix, WrittenBuffers &written) {
    const RuleInfo &info = rule_info(group.rule);
    Tensor t;
    t.param = param.first;
    t.size = param.size;
    t.dtype = param.dtype;
    t.group = group_index;
    if (info.factored)
        t.matrix = matrix_shape(param);
    const bool matrix = info.factored && param.shape.size() >= 2;
    const Names names = info.slots(info.factored ? matrix : group.variant);
    if (int(slots.size()) != names.count())
        throw py::value_error(param.path + ": expected " + std::to_string(names.count()) +
                              " state arrays, got " + std::to_string(slots.size()) +
                              "; see optcore.rules()");
    written.add(t.param, t.size * t.item(), param.array, param.path);
    for (int k = 0; k < names.count(); ++k) {
        const std::string name = names.at[k] + suffix;
        int64_t size = t.size;
        if (matrix) {
            const auto shape = factor_shape(param, k == 0);
            t.slot[k] = check_factor(slots[k], param, shape, name);
            size = elements(shape);
        } else {
            t.slot[k] = check_slot(slots[k], param, name);
        }
        written.add(t.slot[k], size * t.item(), slots[k], name);
    }
    if (const int count = info.scalar_slots.count()) {
        const std::string name = info.scalar_slots.at[0] + suffix;
        t.scalars = check_scalars(scalars, count, name);
        written.add(t.scalars, 8 * count, scalars, name);
    }
    return t;
}

Tensor describe_readable(const py::object &array, const std::string &name, GradientStore &store) {
    // The array's own axes, as if a parameter lay in the same order in memory.
    if (!py::isinstance<py::array>(array))
        throw py::type_error(name + ": expected a NumPy float array, got " + type_of(array) +
                             "; pass np.asarray(...)");
    const auto a = py::reinterpret_borrow<py::array>(array);
    Param like;
    like.path = name;
    like.dtype = a.dtype().itemsize() >= 8 ? Dtype::f64 : Dtype::f32;
    like.size = a.size();
    like.shape.assign(a.shape(), a.shape() + a.ndim());
    like.strides.assign(a.strides(), a.strides() + a.ndim());
    for (int k = 0; k < a.ndim(); ++k)
        if (like.shape[k] != 1)
            like.order.push_back(k);
    std::sort(like.order.begin(), like.order.end(), [&](int x, int y) {
        const auto step_x = std::abs(like.strides[x]), step_y = std::abs(like.strides[y]);
        return step_x != step_y ? step_x > step_y : x < y;
    });
    for (auto &stride : like.strides) // never equal to the array's: every stride is looked at
        stride = stride < 0 ? -1 : 1;
    uintptr_t low, high;
    Tensor t;
    t.size = like.size;
    t.dtype = like.dtype;
    t.grad = read_gradient(array.ptr(), like, [&] { return name; }, store, &low, &high);
    return t;
}

} // namespace optcore
