#include <pybind11/stl.h>

#include "bindings.h"
#include "rules/registry.h"

namespace py = pybind11;

namespace optcore {
namespace {

py::list listed(const Names &names) {
    py::list all;
    for (int i = 0; i < names.count(); ++i)
        all.append(names.at[i]);
    return all;
}

py::dict described(const RuleInfo &info) {
    py::list hypers, slots;
    for (int i = 0; i < info.hypers_in_all(); ++i)
        hypers.append(info.hyper(i).name);
    const unsigned variants = info.factored ? 2 : 1u << info.options.count();
    for (unsigned v = 0; v < variants; ++v)
        slots.append(listed(info.slots(v)));
    py::dict d;
    d["name"] = info.name;
    d["kind"] = info.global                                      ? "global"
                : info.factored || info.rowwise || info.sums > 0 ? "per_tensor"
                                                                 : "elementwise";
    d["maskable"] = info.maskable;
    d["own_decay"] = info.own_decay;
    d["sums"] = info.sums;
    d["options"] = listed(info.options);
    d["hypers"] = hypers;
    d["slots"] = slots;    // by variant: bit i is option i; factored rules: vectors, matrices
    py::list non_negative; // slot positions: their 8-bit codes have no sign
    for (int k = 0; k < kMaxSlots; ++k)
        if (info.non_negative >> k & 1u)
            non_negative.append(k);
    d["non_negative"] = non_negative;
    d["scalar_slots"] = listed(info.scalar_slots);
    return d;
}

} // namespace

void bind_rules(py::module_ &m) {
    m.def("rules", [] {
        py::list all;
        for (int i = 0; i < kRules; ++i)
            all.append(described(rule_info(static_cast<RuleId>(i))));
        return all;
    });
    m.def(
        "hyper_error",
        [](const std::string &rule, const std::string &hyper, double value,
           const std::string &shown) {
            RuleId id;
            const RuleInfo *info = find_rule(rule, &id);
            for (int i = 0; info && i < info->hypers_in_all(); ++i)
                if (hyper == info->hyper(i).name)
                    return hyper_error(info->hyper(i), value, shown.c_str());
            throw py::key_error(rule + "." + hyper);
        },
        py::arg("rule"), py::arg("hyper"), py::arg("value"), py::arg("shown"));
}

} // namespace optcore
