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
                 bool mask_update, bool mask_decay, const std::vector<double> &hypers);

/// What tensors point at beside the caller's memory.
struct TensorStore {
    std::deque<Buffers> buffers;
    std::deque<MatrixShape> matrices;
};

/// The arrays of a parameter beside its rule's state; None where there is none.
struct Extras {
    Rounding rounding = Rounding::nearest;
    py::object kept = py::none();    ///< the float32 master, or the other 16 bits
    py::object average = py::none(); ///< of the weights
    py::object copy = py::none();    ///< in 16 bits
};

/// A parameter with its state, all checked; the written buffers are noted in `written`. A slot is
/// an array, or for 8-bit state a pair of codes and scales. Slots are named in messages with
/// `suffix` behind their name.
Tensor describe(const Group &group, int group_index, const Param &param,
                const std::vector<py::object> &slots, const std::vector<py::object> &scalars,
                const Extras &extras, const std::string &suffix, WrittenBuffers &written,
                TensorStore &store);

/// An array that is only read, in its own memory order, as the gradient of a tensor.
Tensor describe_readable(const py::object &array, const std::string &name, GradientStore &store);

} // namespace optcore

#endif
