#include "tree.h"

#include "arrays.h"

namespace optcore {
namespace {

std::string joined(const std::string &root, const std::string &path) {
    return path.empty() ? root : root + "/" + path;
}

std::string escaped(const std::string &key) {
    std::string out;
    for (char c : key)
        out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return out;
}

bool is_sequence(PyObject *object) { return PyList_Check(object) || PyTuple_Check(object); }

// New references, so that another thread may change the container meanwhile.

py::object item_of(PyObject *dict, PyObject *key) {
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *value = nullptr;
    if (PyDict_GetItemRef(dict, key, &value) < 0)
        throw py::error_already_set();
    return py::reinterpret_steal<py::object>(value);
#else
    PyObject *value = PyDict_GetItemWithError(dict, key);
    if (!value && PyErr_Occurred())
        throw py::error_already_set();
    return py::reinterpret_borrow<py::object>(value);
#endif
}

size_t length_of(PyObject *sequence) {
    return size_t(PyTuple_Check(sequence) ? PyTuple_GET_SIZE(sequence) : PyList_GET_SIZE(sequence));
}

std::string keys_of(const std::vector<py::object> &keys) {
    std::string text;
    for (const auto &key : keys)
        text += (text.empty() ? "" : ", ") + std::string(py::repr(key));
    return text;
}

/// The first key of `dict` that is not among `keys`.
std::string extra_key(PyObject *dict, const std::vector<py::object> &keys) {
    for (auto item : py::reinterpret_borrow<py::dict>(dict)) {
        bool known = false;
        for (const auto &key : keys)
            known = known || key.equal(item.first);
        if (!known)
            return escaped(py::str(item.first));
    }
    return "?";
}

} // namespace

py::object Tree::item_at(PyObject *sequence, size_t i) {
    if (PyTuple_Check(sequence))
        return py::reinterpret_borrow<py::object>(PyTuple_GET_ITEM(sequence, py::ssize_t(i)));
#if PY_VERSION_HEX >= 0x030D0000
    PyObject *item = PyList_GetItemRef(sequence, py::ssize_t(i));
    if (!item)
        throw py::error_already_set();
    return py::reinterpret_steal<py::object>(item);
#else
    return py::reinterpret_borrow<py::object>(PyList_GET_ITEM(sequence, py::ssize_t(i)));
#endif
}

struct Tree::Matching {
    LazyName name;
    std::vector<PyObject *> &out;
};

Tree::Tree(py::object tree, std::string root) : tree_(std::move(tree)), root_(std::move(root)) {
    top_ = build(tree_, "", 0);
}

std::string Tree::name_of(size_t i, const std::string &root) const {
    return joined(root, paths_[i]);
}

Tree::Node Tree::build(py::handle object, const std::string &path, int depth) {
    if (depth > 200)
        throw py::value_error(
            joined(root_, path) +
            ": expected at most 200 levels of nesting; does a container hold itself?");
    Node node{Node::leaf, path, {}, {}, 0};
    const auto below = [&](const std::string &step) {
        return path.empty() ? step : path + "/" + step;
    };
    if (PyDict_Check(object.ptr())) {
        node.kind = Node::dict;
        for (auto item : py::reinterpret_borrow<py::dict>(object)) {
            const bool number = PyLong_Check(item.first.ptr()) && !PyBool_Check(item.first.ptr());
            if (!number && !PyUnicode_Check(item.first.ptr()))
                throw py::type_error(joined(root_, path) + ": expected str or int keys, got " +
                                     std::string(py::repr(item.first)) + "; rename it");
            node.keys.push_back(py::reinterpret_borrow<py::object>(item.first));
            node.children.push_back(
                build(item.second, below(escaped(py::str(item.first))), depth + 1));
        }
    } else if (is_sequence(object.ptr())) {
        node.kind = Node::sequence;
        for (size_t i = 0; i < length_of(object.ptr()); ++i)
            node.children.push_back(
                build(item_at(object.ptr(), i), below(std::to_string(i)), depth + 1));
    } else {
        node.index = leaves_.size();
        if (!seen_.insert(path).second)
            throw py::value_error(joined(root_, path) +
                                  ": two parameters have this path (an int and a str key that look "
                                  "alike?); expected different names: rename one");
        leaves_.push_back(py::reinterpret_borrow<py::object>(object));
        paths_.push_back(path);
    }
    return node;
}

void Tree::match(PyObject *grads, LazyName name, std::vector<PyObject *> &out) const {
    match(top_, tree_.ptr(), grads, {name, out});
}

void Tree::match(const Node &node, PyObject *mine, PyObject *theirs, const Matching &m) const {
    const auto here = [&] { return joined(m.name(), node.path); };
    switch (node.kind) {
    case Node::leaf:
        if (mine != leaves_[node.index].ptr())
            throw py::value_error(
                joined(root_, node.path) +
                " was replaced after the optimizer was made; expected the array it was "
                "given: update it in place (W[...] = ...)");
        Py_INCREF(theirs);
        m.out.push_back(theirs);
        return;

    case Node::dict: {
        if (!PyDict_Check(mine))
            throw py::value_error(joined(root_, node.path) +
                                  " was a dict when the optimizer was made; expected it unchanged: "
                                  "put it back or make a new optimizer");
        if (!PyDict_Check(theirs))
            throw py::type_error(here() + ": expected a dict with keys " + keys_of(node.keys) +
                                 ", got " + type_of(theirs) + "; gradients mirror the parameters");
        for (size_t i = 0; i < node.keys.size(); ++i) {
            const py::object p = item_of(mine, node.keys[i].ptr());
            if (!p)
                throw py::key_error(
                    joined(root_, node.children[i].path) +
                    " was removed after the optimizer was made; expected the tree unchanged: "
                    "put it back or make a new optimizer");
            const py::object g = item_of(theirs, node.keys[i].ptr());
            if (!g)
                throw py::key_error(
                    joined(m.name(), node.children[i].path) +
                    " is missing; expected a gradient for every parameter: add it, or None "
                    "to leave the parameter alone");
            match(node.children[i], p.ptr(), g.ptr(), m);
        }
        if (size_t(PyDict_GET_SIZE(theirs)) != node.keys.size())
            throw py::key_error(joined(here(), extra_key(theirs, node.keys)) +
                                " has no parameter; expected keys " + keys_of(node.keys) +
                                ": remove or rename it");
        if (size_t(PyDict_GET_SIZE(mine)) != node.keys.size())
            throw py::key_error(
                joined(joined(root_, node.path), extra_key(mine, node.keys)) +
                " was added after the optimizer was made; expected the tree unchanged: "
                "remove it or make a new optimizer");
        return;
    }

    case Node::sequence:
        if (!is_sequence(mine) || length_of(mine) != node.children.size())
            throw py::value_error(joined(root_, node.path) +
                                  " changed its length or type after the optimizer "
                                  "was made; expected " +
                                  std::to_string(node.children.size()) +
                                  " items: make a new optimizer");
        if (!is_sequence(theirs))
            throw py::type_error(here() + ": expected a list or tuple of " +
                                 std::to_string(node.children.size()) + " items, got " +
                                 type_of(theirs) + "; gradients mirror the parameters");
        if (length_of(theirs) != node.children.size())
            throw py::value_error(here() + ": expected " + std::to_string(node.children.size()) +
                                  " items, got " + std::to_string(length_of(theirs)) +
                                  "; gradients mirror the parameters (None leaves one alone)");
        for (size_t i = 0; i < node.children.size(); ++i)
            match(node.children[i], item_at(mine, i).ptr(), item_at(theirs, i).ptr(), m);
        return;
    }
}

} // namespace optcore
