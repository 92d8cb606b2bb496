#include "describe.h"

#include <algorithm>

#include "read_rows.h"

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
                 bool mask_update, bool mask_decay, const std::vector<double> &hypers) {
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
    group.mask_update = mask_update && info.maskable;
    group.mask_decay = mask_decay && info.maskable;
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

/// One slot: an array, or codes with their scales.
void describe_slot(Buffers &b, int k, const py::object &slot, bool non_negative, const Param &param,
                   const std::string &name, WrittenBuffers &written) {
    py::object array = slot;
    if (py::isinstance<py::tuple>(slot) && py::len(slot) == 2) {
        array = slot[py::int_(0)];
        const py::object scale = slot[py::int_(1)];
        const std::string scale_name = "the scales of " + name;
        if (param.dtype() == Dtype::f64)
            throw py::type_error(name +
                                 ": expected float64 state, as its parameter is float64, got "
                                 "8-bit state; use it with float32, bfloat16 or float16");
        b.slot[k] = check_slot(array, param, name, {Format::code8}, &b.slot_format[k]);
        b.slot_format[k] = non_negative ? Format::code8 : Format::signed_code8;
        b.scale[k] = check_scale(scale, param, scale_name);
        const py::ssize_t scales = param.size ? (param.size - 1) / kQuantum + 1 : 0;
        written.add(b.scale[k], scales * 4, scale, scale_name);
    } else if (param.dtype() == Dtype::f64) {
        b.slot[k] = check_slot(array, param, name, {Format::f64}, &b.slot_format[k]);
    } else {
        b.slot[k] = check_slot(array, param, name, {Format::f32, Format::bf16}, &b.slot_format[k]);
    }
    written.add(b.slot[k], param.size * bytes_of(b.slot_format[k]), array, name);
}

void describe_extras(Buffers &b, const Extras &extras, const Param &param,
                     const std::string &suffix, WrittenBuffers &written) {
    Format format;
    b.rounding = extras.rounding;
    if (b.rounding == Rounding::master) {
        b.kept = check_slot(extras.kept, param, "master" + suffix, {Format::f32}, &format);
        written.add(b.kept, param.size * 4, extras.kept, "master" + suffix);
    } else if (b.rounding == Rounding::split) {
        b.kept = check_remainder(extras.kept, param, "remainder" + suffix);
        written.add(b.kept, param.size * 2, extras.kept, "remainder" + suffix);
    }
    if (!extras.average.is_none()) {
        const Format own = param.dtype() == Dtype::f64 ? Format::f64 : Format::f32;
        b.average = check_slot(extras.average, param, "ema" + suffix, {own}, &format);
        written.add(b.average, param.size * bytes_of(own), extras.average, "ema" + suffix);
    }
    if (!extras.copy.is_none()) {
        if (param.dtype() == Dtype::f64)
            throw py::type_error("copy_to" + suffix + ": expected a float32 or 16-bit parameter, " +
                                 "got float64; make it float32, or put None in its place");
        b.copy = check_slot(extras.copy, param, "copy_to" + suffix, {Format::bf16, Format::f16},
                            &b.copy_format);
        written.add(b.copy, param.size * 2, extras.copy, "copy_to" + suffix);
    }
}

/// Why a rule that does not run in the sweep takes no 16-bit parameter.
void refuse_16_bits(const Param &param, const char *what) {
    if (bytes_of(param.format) == 2)
        throw py::type_error(param.path + ": expected a float32 or float64 array, got 16 bits; " +
                             what + " needs a float32 copy of it to step, and copy_to= to write " +
                             "it back");
}

/// The state of a row-wise rule: one number for each index of the first axis.
void describe_rowwise(Tensor &t, const Param &param, const py::object &slot,
                      const std::string &name, WrittenBuffers &written) {
    refuse_16_bits(param, "a rule with one number of state per row");
    t.rowwise = true;
    t.width = row_width(param, "as the rule's state is by rows");
    auto shape = param.shape;
    for (size_t k = 1; k < shape.size(); ++k)
        shape[k] = 1;
    t.slot[0] = check_factor(slot, param, shape, name);
    written.add(t.slot[0], elements(shape) * bytes_of(t.dtype), slot, name);
}

} // namespace

Tensor describe(const Group &group, int group_index, const Param &param,
                const std::vector<py::object> &slots, const std::vector<py::object> &scalars,
                const Extras &extras, const std::string &suffix, WrittenBuffers &written,
                TensorStore &store) {
    const RuleInfo &info = rule_info(group.rule);
    Tensor t;
    t.param = param.first;
    t.size = param.size;
    t.dtype = param.dtype();
    t.format = param.format;
    t.group = group_index;
    // A matrix that is given one state array is stepped as a vector: its moments are not factored.
    const bool matrix = info.factored && param.shape.size() >= 2 && slots.size() != 1;
    const Names names = info.slots(info.factored ? matrix : group.variant);
    if (int(slots.size()) != names.count())
        throw py::value_error(param.path + ": expected " + std::to_string(names.count()) +
                              " state arrays, got " + std::to_string(slots.size()) +
                              "; see optcore.rules()");
    Buffers b = {};
    b.param = t.param;
    b.param_format = param.format;
    written.add(t.param, t.size * bytes_of(t.format), param.array, param.path);
    if (info.factored) {
        refuse_16_bits(param, "a rule with factored moments");
        store.matrices.push_back(matrix ? matrix_shape(param) : MatrixShape{});
        t.matrix = &store.matrices.back();
        t.factored = true;
        for (int k = 0; k < names.count(); ++k) {
            const std::string name = names.at[k] + suffix;
            const auto shape = matrix ? factor_shape(param, k == 0) : param.shape;
            if (matrix)
                t.slot[k] = check_factor(slots[k], param, shape, name);
            else
                t.slot[k] = check_slot(slots[k], param, name, {param.format}, &b.slot_format[k]);
            written.add(t.slot[k], elements(shape) * bytes_of(t.dtype), slots[k], name);
        }
    } else if (info.rowwise) {
        describe_rowwise(t, param, slots[0], names.at[0] + suffix, written);
    } else {
        b.slots = names.count();
        for (int k = 0; k < names.count(); ++k) {
            const bool non_negative = info.non_negative >> k & 1u;
            describe_slot(b, k, slots[k], non_negative, param, names.at[k] + suffix, written);
            t.slot[k] = b.slot[k];
        }
    }
    describe_extras(b, extras, param, suffix, written);
    t.plain = plain_loop(b, &t.loop);
    store.buffers.push_back(b);
    t.buffers = &store.buffers.back();
    if (int(scalars.size()) != info.scalar_slots.count())
        throw py::value_error(param.path + ": expected " +
                              std::to_string(info.scalar_slots.count()) + " float64 scalars, got " +
                              std::to_string(scalars.size()) + "; see optcore.rules()");
    for (size_t k = 0; k < scalars.size(); ++k) {
        const std::string name = info.scalar_slots.at[k] + suffix;
        t.scalar[k] = check_scalar(scalars[k], name);
        written.add(t.scalar[k], 8, scalars[k], name);
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
    like.format = a.dtype().itemsize() >= 8 ? Format::f64 : Format::f32;
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
    t.dtype = like.dtype();
    t.grad = read_gradient(array.ptr(), like, [&] { return name; }, store, false, &low, &high);
    return t;
}

} // namespace optcore
