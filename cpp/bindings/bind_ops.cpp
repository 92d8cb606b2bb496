#include <pybind11/stl.h>

#include "arrays.h"
#include "bindings.h"
#include "describe.h"
#include "engine/norm.h"
#include "engine/placement.h"
#include "engine/step.h"
#include "engine/tiles.h"
#include "read_rows.h"
#include "engine/cpu.h"

namespace optcore {
namespace {

std::string item(const std::string &name, size_t i, size_t count) {
    return count == 1 ? name : name + "[" + std::to_string(i) + "]";
}

/// Checks gradients against their parameters and against all that will be written, and points the
/// tensors at them.
void read_gradients(const std::vector<py::object> &grads, const std::vector<Param> &params,
                    const WrittenBuffers &written, GradientStore &store,
                    std::vector<Tensor> &tensors) {
    for (size_t i = 0; i < grads.size(); ++i) {
        const auto name = [&] { return item("g", i, grads.size()); };
        if (is_rows(grads[i].ptr()))
            refuse_rows(name(), "ops step whole parameters",
                        "scatter them into an array of zeros, or use the optimizer's class");
        uintptr_t low, high;
        tensors[i].grad = read_gradient(grads[i].ptr(), params[i], name, store, false, &low, &high);
        written.check(grads[i].ptr(), low, high, name);
    }
}

/// What comes before a step along directions: checks parameters, gradients and named state arrays,
/// and returns what clipping multiplies the gradients by.
double examine_gradients(const std::vector<py::object> &params,
                         const std::vector<py::object> &grads,
                         const std::vector<std::pair<std::string, py::object>> &state,
                         double clip_norm, int threads) {
    std::vector<Param> checked;
    std::vector<Tensor> tensors(params.size());
    WrittenBuffers written;
    GradientStore store;
    const auto note = [&](const Param &p) {
        written.add(p.first, p.size * bytes_of(p.format), p.array, p.path);
    };
    for (size_t i = 0; i < params.size(); ++i) {
        checked.push_back(check_param(params[i], item("p", i, params.size())));
        tensors[i].size = checked[i].size;
        tensors[i].dtype = checked[i].dtype();
        note(checked[i]);
    }
    for (const auto &[name, array] : state)
        note(check_param(array, name));
    written.finish();
    read_gradients(grads, checked, written, store, tensors);
    StepOptions options;
    options.clip_norm = clip_norm;
    options.threads = threads;
    Workspace work;
    const int64_t count = int64_t(tensors.size());
    const GilReleased unlocked(total_elements(tensors.data(), count));
    return examine(tensors.data(), count, options, true, work).factor;
}

/// One step of one rule on given arrays; see ops.py for what its arguments mean.
double apply(const std::string &rule, unsigned variant, const std::vector<py::object> &params,
             const std::vector<py::object> &grads,
             const std::vector<std::vector<py::object>> &slots,
             const std::vector<std::vector<py::object>> &scalars, const std::vector<double> &hypers,
             bool decoupled, bool maximize, bool mask_update, bool mask_decay,
             const std::vector<uint64_t> &steps, double clip_norm, double clip_value, int threads) {
    const Group group =
        make_group(rule, variant, decoupled, maximize, mask_update, mask_decay, hypers);
    const size_t count = params.size();
    if (grads.size() != count || slots.size() != count || scalars.size() != count ||
        steps.size() != count)
        throw py::value_error("g: expected " + std::to_string(count) +
                              " arrays, one per parameter, got " + std::to_string(grads.size()) +
                              "; pass lists of equal length");
    std::vector<Param> checked;
    std::vector<Tensor> tensors;
    WrittenBuffers written;
    TensorStore tensor_store;
    GradientStore store;
    for (size_t i = 0; i < count; ++i) {
        checked.push_back(check_param(params[i], item("p", i, count)));
        tensors.push_back(describe(group, 0, checked.back(), slots[i], scalars[i], Extras(),
                                   count == 1 ? "" : "[" + std::to_string(i) + "]", written,
                                   tensor_store));
        if (steps[i] == 0)
            throw py::value_error(
                "step: expected 1 or more (the number of this step), got 0; count from 1");
        tensors.back().steps = steps[i] - 1;
    }
    written.finish();
    read_gradients(grads, checked, written, store, tensors);
    StepOptions options;
    options.clip_norm = clip_norm;
    options.clip_value = clip_value;
    options.threads = threads;
    Workspace work;
    const GilReleased unlocked(total_elements(tensors.data(), int64_t(count)));
    return step(tensors.data(), int64_t(count), &group, 1, options, work).norm;
}

/// The norm of arrays taken together, each in its own memory order.
double norm_of(const std::vector<py::object> &arrays, const std::vector<std::string> &names,
               int threads) {
    GradientStore store;
    std::vector<Tensor> tensors;
    for (size_t i = 0; i < arrays.size(); ++i)
        tensors.push_back(describe_readable(arrays[i], names.at(i), store));
    const GilReleased unlocked(total_elements(tensors.data(), int64_t(tensors.size())));
    std::vector<double> sums;
    return global_norm(tensors.data(), int64_t(tensors.size()), threads, sums);
}

/// The byte floor of benchmarks: streams the buffers of a rule with so many slots, all of the
/// parameter's dtype.
void stream_floor(py::object p, py::object g, const std::vector<py::object> &slots, int threads) {
    const Param param = check_param(p, "p");
    if (param.format == Format::f16)
        throw py::type_error("p: expected float32, float64 or bfloat16, got float16; use another");
    Format format = param.format;
    Tensor t;
    t.param = param.first;
    t.size = param.size;
    t.grad.data = check_slot(g, param, "g", {param.format}, &format);
    if (slots.size() > size_t(kMaxSlots))
        throw py::value_error("slots: expected at most " + std::to_string(kMaxSlots) + ", got " +
                              std::to_string(slots.size()) + "; pass fewer");
    for (size_t k = 0; k < slots.size(); ++k)
        t.slot[k] = check_slot(slots[k], param, item("slots", k, slots.size() + 1), {param.format},
                               &format);
    const GilReleased unlocked(t.size);
    parallel(threads_for(t.size, threads), [&](int k, int n) {
        for_share(&t, 1, t.size, k, n, [&](int64_t, Range64 range) {
            const int64_t at = range.begin * bytes_of(format);
            Streams s = {};
            s.param = static_cast<char *>(t.param) + at;
            s.grad = static_cast<const char *>(t.grad.data) + at;
            for (size_t j = 0; j < slots.size(); ++j)
                s.slot[j] = static_cast<char *>(t.slot[j]) + at;
            kernels().stream[int(format)](&s, int(slots.size()), range.end - range.begin);
        });
    });
}

/// Offsets for state slots (bytes, address of the parameter, index, count), and the bytes in all.
std::pair<std::vector<size_t>, size_t>
place(const std::vector<std::tuple<size_t, uintptr_t, int, int>> &slots) {
    std::vector<SlotRequest> requests;
    for (const auto &[bytes, param, index, count] : slots)
        requests.push_back({bytes, param, index, count});
    Placement p = place_slots(requests);
    return {std::move(p.offset), p.total};
}

} // namespace

void bind_ops(py::module_ &m) {
    m.def("apply", &apply, py::arg("rule"), py::arg("variant"), py::arg("params"), py::arg("grads"),
          py::arg("slots"), py::arg("scalars"), py::arg("hypers"), py::arg("decoupled"),
          py::arg("maximize"), py::arg("mask_update"), py::arg("mask_decay"), py::arg("steps"),
          py::arg("clip_norm"), py::arg("clip_value"), py::arg("threads"));
    m.def("examine_gradients", &examine_gradients, py::arg("params"), py::arg("grads"),
          py::arg("state"), py::arg("clip_norm"), py::arg("threads"));
    m.def(
        "check_param", [](py::object array, const std::string &name) { check_param(array, name); },
        py::arg("array"), py::arg("name"));
    m.def("global_norm", &norm_of, py::arg("arrays"), py::arg("names"), py::arg("threads"));
    m.def("clip_factor", &clip_factor, py::arg("norm"), py::arg("limit"));
    m.def("stream_floor", &stream_floor, py::arg("p"), py::arg("g"), py::arg("slots"),
          py::arg("threads") = 0);
    m.def("place_slots", &place, py::arg("slots"));
    m.attr("placement_base") = kPlacementBase;
}

} // namespace optcore
