// Nestings of dict, list and tuple: how they are flattened, and how a second one is held against
// the first. Paths join keys with '/'; inside a key '~' is written ~0 and '/' ~1.
#ifndef OPTCORE_BINDINGS_TREE_H
#define OPTCORE_BINDINGS_TREE_H

#include <pybind11/pybind11.h>

#include <string>
#include <unordered_set>
#include <vector>

#include "arrays.h"

namespace optcore {

namespace py = pybind11;

class Tree {
public:
    /// `root` is how messages name the tree itself: "params", "groups[1]/params".
    Tree(py::object tree, std::string root);

    const std::vector<std::string> &paths() const { return paths_; } ///< of the leaves
    const std::vector<py::object> &leaves() const { return leaves_; }

    /// How messages name leaf i of a tree called `root`.
    std::string name_of(size_t i, const std::string &root) const;
    const std::string &root() const { return root_; }

    /// Holds `grads`, called `name`, against this tree, and appends a new reference to each of its
    /// leaves to `out`. Also checks that every leaf of this tree is still the object it was.
    void match(PyObject *grads, LazyName name, std::vector<PyObject *> &out) const;

    /// A new reference to item i of a list or tuple.
    static py::object item_at(PyObject *sequence, size_t i);

private:
    struct Node {
        enum Kind { leaf, dict, sequence } kind;
        std::string path;
        std::vector<py::object> keys; ///< of a dict
        std::vector<Node> children;
        size_t index = 0; ///< of a leaf
    };
    struct Matching;

    Node build(py::handle object, const std::string &path, int depth);
    void match(const Node &node, PyObject *mine, PyObject *theirs, const Matching &m) const;

    py::object tree_;
    std::string root_;
    Node top_;
    std::vector<std::string> paths_;
    std::unordered_set<std::string> seen_;
    std::vector<py::object> leaves_;
};

} // namespace optcore

#endif
