// From Python's arguments to what the engine is told: groups and tensors.
#ifndef OPTCORE_BINDINGS_DESCRIBE_H
#define OPTCORE_BINDINGS_DESCRIBE_H

#include "arrays.h"
#include "gil.h"
#include "rules/registry.h"

namespace optcore {

/// The id of a rule; a ValueError that lists the rules if there is none of that name.
RuleId rule_named(const std::string &name);

/// A group with all its hyperparameters, each checked.
Group make_group(const std::string &rule, unsigned variant, bool decoupled, bool maximize,
                 const std::vector<double> &hypers);

/// A parameter with its state, all checked; the written buffers are noted in `written`. Slots are
/// named in messages with `suffix` behind their name.
Tensor describe(const Group &group, int group_index, const Param &param,
                const std::vector<py::object> &slots, const py::object &scalars,
                const std::string &suffix, WrittenBuffers &written);

/// An array that is only read, in its own memory order, as the gradient of a tensor.
Tensor describe_readable(const py::object &array, const std::string &name, GradientStore &store);

} // namespace optcore

#endif
