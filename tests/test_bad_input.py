"""Bad input, as tables. Each row makes one call that has to fail, and says what the error is: its
class, the path of the argument, what was expected, what came, and how to mend it. After each, every
byte of every array in sight and every step number is as it was."""

from __future__ import annotations

import inspect
import itertools
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import pytest

import optcore as oc
from optcore import _core, ops

SCHEDULES = oc.schedules


class World:
    """An optimizer that has taken two steps, and all that an error must not touch."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.params = {
            "W": rng.normal(size=(3, 4)).astype(np.float32),
            "layers": [{"b": rng.normal(size=5)}, {"b": rng.normal(size=2).astype(np.float32)}],
            "s": np.array(1.5),
        }
        self._arrays: list[tuple[np.ndarray, bytes]] = []
        self._optimizers: list[tuple[Any, object]] = []
        self.opt = oc.Adam(self.params, amsgrad=True, clip_norm=10.0)
        self.opt.step(self.grads())
        self.opt.step(self.grads())
        self.watch(self.opt)
        for leaf in (self.params["W"], self.params["s"]):
            self.keep(leaf)
        for layer in self.params["layers"]:
            self.keep(layer["b"])

    def grads(self, **changed: Any) -> dict[str, Any]:
        """Good gradients, but for what is named."""
        good = {
            "W": np.full((3, 4), 0.5, np.float32),
            "layers": [{"b": np.full(5, 0.25)}, {"b": np.ones(2, np.float32)}],
            "s": np.array(0.125),
        }
        return good | changed

    def layers(self, leaf: Any) -> dict[str, Any]:
        """Good gradients, but for layers/0/b."""
        good = self.grads()
        good["layers"][0]["b"] = leaf
        return good

    def keep(self, array: Any) -> Any:
        """Notes the memory of an array, to be held against later; returns the array."""
        owner = array
        while isinstance(getattr(owner, "base", None), np.ndarray):
            owner = owner.base
        if isinstance(owner, np.ndarray):
            self._arrays.append((owner, np.asarray(owner).tobytes()))
        return array

    def watch(self, opt: Any) -> Any:
        """The same for all that an optimizer knows."""
        for slots in opt.state.values():
            for slot in slots.values():
                self.keep(slot)
        self._optimizers.append((opt, self._facts(opt)))
        return opt

    def _facts(self, opt: Any) -> object:
        saved = opt.state_dict()
        return repr((saved["step"], saved["param_steps"], saved["groups"], saved["options"]))

    def check(self) -> None:
        for array, before in self._arrays:
            assert np.asarray(array).tobytes() == before
        for opt, before in self._optimizers:
            assert self._facts(opt) == before


class Row(NamedTuple):
    name: str
    call: Callable[[World], Any]
    error: type[Exception]
    path: str
    """How the message begins."""
    expected: str
    came: str
    mend: str


def fails(row: Row) -> str:
    """Makes the call and holds the error against the row; returns the message."""
    world = World()
    with pytest.raises(row.error) as caught:
        row.call(world)
    assert caught.type is row.error
    world.check()
    message = str(caught.value.args[0])
    assert message.startswith(row.path), message
    for part in (row.expected, row.came, row.mend):
        assert part in message, f"{part!r} is not in: {message}"
    return message


def table(rows: list[Row]) -> pytest.MarkDecorator:
    names = [row.name for row in rows]
    assert len(set(names)) == len(names), "two rows of one name"
    return pytest.mark.parametrize("row", rows, ids=names)


def misaligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    array = np.zeros(size + 8, np.uint8)[1 : size + 1].view(dtype).reshape(shape)
    array[...] = 1
    assert not array.flags.aligned
    return array


def read_only(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def repeated(size: int) -> np.ndarray:
    """A writable array whose elements are all the same one."""
    return np.lib.stride_tricks.as_strided(np.ones(1), (size,), (0,))


def swapped(dtype: str) -> str:
    return np.dtype(dtype).newbyteorder("S").str


# Parameters. ------------------------------------------------------------------------------------

FLOATS = "a float32, float64, float16 or bfloat16 array"
BAD_PARAMS: list[tuple[str, Callable[[], Any], type[Exception], str, str, str]] = [
    ("strided", lambda: np.ones(8)[::2], ValueError, "dense", "(16,)", "ascontiguousarray"),
    ("backwards-strided", lambda: np.ones(8)[::-2], ValueError, "dense", "(-16,)", "contiguous"),
    ("columns", lambda: np.ones((4, 6))[:, :3], ValueError, "dense", "(48, 8)", "contiguous"),
    ("stride-0", lambda: repeated(3), ValueError, "dense", "(0,)", "contiguous"),
    (
        "overlapping-itself",
        lambda: np.lib.stride_tricks.as_strided(np.ones(5), (3, 3), (8, 8)),
        ValueError,
        "dense",
        "(8, 8)",
        "contiguous",
    ),
    ("int", lambda: np.ones(3, np.int64), TypeError, FLOATS, "int64", "astype(np.float32)"),
    ("unsigned", lambda: np.ones(3, np.uint8), TypeError, FLOATS, "uint8", "astype(np.float32)"),
    ("complex", lambda: np.ones(3, complex), TypeError, FLOATS, "complex128", "astype"),
    ("bool", lambda: np.ones(3, bool), TypeError, FLOATS, "bool", "astype"),
    ("int16", lambda: np.ones(3, np.int16), TypeError, FLOATS, "int16", "astype(np.float32)"),
    ("uint16", lambda: np.ones(3, np.uint16), TypeError, FLOATS, "uint16", "astype(np.float32)"),
    ("object", lambda: np.array([1.0, 2.0], object), TypeError, FLOATS, "object", "astype"),
    ("text", lambda: np.array(["a"]), TypeError, FLOATS, "<U1", "astype"),
    (
        "longdouble",
        lambda: np.ones(3, np.longdouble),
        TypeError,
        FLOATS,
        str(np.dtype(np.longdouble)),
        "astype",
    ),
    ("float", lambda: 8.0, TypeError, "a NumPy array", "a float", "np.array(8.0)"),
    ("integer", lambda: 8, TypeError, "a NumPy array", "an int", "np.array(8.0)"),
    ("scalar", lambda: np.float64(8), TypeError, "a NumPy array", "float64", "np.array(8.0)"),
    ("none", lambda: None, TypeError, "a NumPy array", "None", "np.asarray"),
    ("string", lambda: "abc", TypeError, "a NumPy array", "a str", "np.asarray"),
    (
        "masked",
        lambda: np.ma.array([1.0, 2.0], mask=[True, False]),
        TypeError,
        "a plain NumPy array",
        "MaskedArray",
        ".filled()",
    ),
    (
        "byte-swapped",
        lambda: np.ones(3, swapped("f4")),
        ValueError,
        "native byte order",
        swapped("f4"),
        "newbyteorder",
    ),
    ("read-only", lambda: read_only(np.ones(3)), ValueError, "writable", "read-only", "copy"),
    (
        "broadcast",
        lambda: np.broadcast_to(np.ones(1), (3,)),
        ValueError,
        "writable",
        "read-only",
        "copy",
    ),
    ("misaligned", lambda: misaligned((3,), "f4"), ValueError, "aligned", "misaligned", "copy()"),
]


def new(world: World, kind: Any, params: Any, **options: Any) -> Any:
    """An optimizer over new parameters, watched should it come to life after all."""
    return world.watch(kind(params, **options))


def bad_params() -> list[Row]:
    rows = []
    for name, make, error, expected, came, mend in BAD_PARAMS:

        def in_class(world: World, make: Callable[[], Any] = make) -> None:
            good = world.keep(np.ones(3))
            new(world, oc.Adagrad, {"a": good, "layers": [{"W": world.keep(make())}]})

        def in_group(world: World, make: Callable[[], Any] = make) -> None:
            good = world.keep(np.ones(3))
            new(world, oc.SGD, [{"params": {"a": good}}, {"params": {"W": world.keep(make())}}])

        def in_ops(world: World, make: Callable[[], Any] = make) -> None:
            bad = world.keep(make())
            if isinstance(bad, list):
                pytest.skip("ops take lists as lists of arrays")
            ops.sgd_(bad, np.ones(np.shape(bad)), step=1)

        def in_ops_list(world: World, make: Callable[[], Any] = make) -> None:
            good = world.keep(np.ones(3))
            ops.sgd_([good, world.keep(make())], [np.ones(3), np.ones(3)], step=1)

        for door, call, path in (
            ("class", in_class, "params/layers/0/W: "),
            ("group", in_group, "groups[1]/params/W: "),
            ("ops", in_ops, "p: "),
            ("ops-list", in_ops_list, "p[1]: "),
        ):
            rows.append(Row(f"{name}-{door}", call, error, path, expected, came, mend))
    return rows


@table(bad_params())
def test_parameters(row):
    fails(row)


# How parameters stand to each other. ------------------------------------------------------------


def cyclic() -> dict[str, Any]:
    tree: dict[str, Any] = {}
    tree["again"] = tree
    return tree


def overlapping(world: World) -> tuple[np.ndarray, np.ndarray]:
    whole = world.keep(np.ones(10))
    return whole[:6], whole[5:]


def twice(world: World) -> dict[str, Any]:
    one = world.keep(np.ones(3))
    return {"a": one, "b": {"c": one}}


def in_two_groups(world: World) -> list[dict[str, Any]]:
    one = world.keep(np.ones(3))
    return [{"params": {"a": one}}, {"params": {"b": one}}]


ONE = {"W": np.ones(2)}
TREES = [
    Row("a list of floats", lambda w: oc.SGD([1.0, 2.0]), TypeError,
        "params/0: ", "a NumPy array", "a float", "np.array(8.0)"),
    Row("a set", lambda w: oc.SGD({1, 2}), TypeError,
        "params: ", "a NumPy array", "a set", "list"),
    Row("dict values", lambda w: oc.SGD({"a": np.ones(2)}.values()), TypeError,
        "params: ", "a NumPy array", "dict_values", "list"),
    Row("a generator", lambda w: oc.SGD(np.ones(2) for _ in range(2)), TypeError,
        "params: ", "dict, list or tuple", "iterator", "list(...)"),
    Row("nothing", lambda w: oc.SGD(None), TypeError, "params: ", "a NumPy array", "None", "np."),
    Row("an empty dict", lambda w: oc.SGD({}), ValueError,
        "optimizer got an empty parameter list", "at least one array", "empty", "{'W': W"),
    Row("an empty list", lambda w: oc.SGD([]), ValueError,
        "optimizer got an empty parameter list", "at least one array", "empty", "{'W': W"),
    Row("empty nests", lambda w: oc.SGD({"a": [], "b": ({},)}), ValueError,
        "optimizer got an empty parameter list", "at least one array", "empty", "{'W': W"),
    Row("empty groups", lambda w: oc.SGD([{"params": []}]), ValueError,
        "optimizer got an empty parameter list", "at least one array", "empty", "{'W': W"),
    Row("a container in itself", lambda w: oc.SGD(cyclic()), ValueError,
        "params/again/again", "at most 200 levels", "nesting", "hold itself?"),
    Row("a float key", lambda w: oc.SGD({"a": {1.5: np.ones(2)}}), TypeError,
        "params/a: ", "str or int keys", "1.5", "rename"),
    Row("a bool key", lambda w: oc.SGD({True: np.ones(2)}), TypeError,
        "params: ", "str or int keys", "True", "rename"),
    Row("a tuple key", lambda w: oc.SGD({("a", "b"): np.ones(2)}), TypeError,
        "params: ", "str or int keys", "('a', 'b')", "rename"),
    Row("no key", lambda w: oc.SGD({None: np.ones(2)}), TypeError,
        "params: ", "str or int keys", "None", "rename"),
    Row("an int and a str key", lambda w: oc.SGD({1: np.ones(2), "1": np.ones(2)}), ValueError,
        "params/1: ", "different names", "two parameters", "rename"),
    Row("overlap", lambda w: oc.SGD(list(overlapping(w))), ValueError,
        "params/0 and params/1 ", "share no memory", "overlap", "its own"),
    Row("the same array twice", lambda w: oc.SGD(twice(w)), ValueError,
        "params/a and params/b/c ", "share no memory", "the same array", "only once"),
    Row("the same array in two groups", lambda w: oc.SGD(in_two_groups(w)), ValueError,
        "groups[0]/params/a and groups[1]/params/b ", "no memory", "the same array", "only once"),
    Row("a path in two groups",
        lambda w: oc.SGD([{"params": {"W": np.ones(2)}}, {"params": {"W": np.ones(2)}}]),
        ValueError, "groups[0]/params/W and groups[1]/params/W ",
        "different", "the same path 'W'", "dict"),
    Row("an unknown key in a group", lambda w: oc.Adam([{"params": ONE, "learning_rate": 0.1}]),
        KeyError, "groups[0]: ", "one of the hyperparameters", "'learning_rate'", "did you mean"),
    Row("another rule's key in a group", lambda w: oc.Adam([{"params": ONE, "momentum": 0.1}]),
        KeyError, "groups[0]: ", "one of the hyperparameters", "'momentum'", "did you mean"),
    Row("a misspelt key when writing", lambda w: w.opt.groups[0].update(weight_decya=0.1), KeyError,
        "groups[0]: ", "one of the hyperparameters", "'weight_decya'", "mean weight_decay"),
    Row("deleting from a group", lambda w: w.opt.groups[0].pop("lr"), TypeError,
        "groups[0]: ", "hyperparameter", "deleted", "set it"),
]  # fmt: skip


@table(TREES)
def test_trees_of_parameters(row):
    fails(row)


# Gradients. -------------------------------------------------------------------------------------

# Each stands for layers/0/b, which is float64 of shape (5,).
BAD_GRADS: list[tuple[str, Callable[[World], Any], type[Exception], str, str, str]] = [
    ("longer", lambda w: np.ones(6), ValueError, "shape (5,)", "(6,)", "reshape"),
    ("a column", lambda w: np.ones((5, 1)), ValueError, "shape (5,)", "(5, 1)", "reshape"),
    ("0-d", lambda w: np.array(1.0), ValueError, "shape (5,)", "()", "reshape"),
    ("a batch", lambda w: np.ones((2, 5)), ValueError, "shape (5,)", "(2, 5)", "sum over"),
    ("empty", lambda w: np.ones(0), ValueError, "shape (5,)", "(0,)", "reshape"),
    ("int", lambda w: np.ones(5, int), TypeError, "real float", "int64", "astype"),
    ("bool", lambda w: np.ones(5, bool), TypeError, "real float", "bool", "astype"),
    ("uint8", lambda w: np.ones(5, np.uint8), TypeError, "real float", "uint8", "astype"),
    ("int16", lambda w: np.ones(5, np.int16), TypeError, "real float", "int16", "astype"),
    ("uint16", lambda w: np.ones(5, np.uint16), TypeError, "real float", "uint16", "astype"),
    ("complex", lambda w: np.ones(5, complex), TypeError, "real float", "complex128", "astype"),
    ("object", lambda w: np.ones(5, object), TypeError, "real float", "object", "astype"),
    ("dates", lambda w: np.ones(5, "m8[s]"), TypeError, "real float", "timedelta64", "astype"),
    (
        "byte-swapped",
        lambda w: np.ones(5, swapped("f8")),
        ValueError,
        "native byte order",
        swapped("f8"),
        "newbyteorder",
    ),
    ("a number", lambda w: 1.0, TypeError, "float array of shape (5,)", "a float", "NumPy array"),
    ("a scalar", lambda w: np.float64(1), TypeError, "shape (5,)", "float64", "NumPy array"),
    ("a list", lambda w: [1.0] * 5, TypeError, "shape (5,)", "a list", "None to leave"),
    ("a dict", lambda w: {"b": np.ones(5)}, TypeError, "shape (5,)", "a dict", "NumPy array"),
    (
        "masked",
        lambda w: np.ma.array(np.ones(5), mask=[True] + [False] * 4),
        TypeError,
        "plain NumPy array",
        "MaskedArray",
        ".filled(",
    ),
]  # fmt: skip
IN_WRITTEN_MEMORY: list[tuple[str, Callable[[World], Any], type[Exception], str, str, str]] = [
    (
        "the parameter itself",
        lambda w: w.params["layers"][0]["b"],
        ValueError,
        "memory of its own",
        "params/layers/0/b overlap",
        "copy",
    ),
    (
        "the parameter reversed",
        lambda w: w.params["layers"][0]["b"][::-1],
        ValueError,
        "memory of its own",
        "params/layers/0/b overlap",
        "copy",
    ),
    (
        "the parameter broadcast",
        lambda w: np.broadcast_to(w.params["layers"][0]["b"][:1], (5,)),
        ValueError,
        "memory of its own",
        "params/layers/0/b overlap",
        "copy",
    ),
    (
        "its own state",
        lambda w: w.opt.state["layers/0/b"]["exp_avg"],
        ValueError,
        "memory of its own",
        "exp_avg of params/layers/0/b overlap",
        "copy",
    ),
]


def bad_grads() -> list[Row]:
    rows = []
    for name, make, error, expected, came, mend in BAD_GRADS + IN_WRITTEN_MEMORY:

        def in_step(world: World, make: Callable[[World], Any] = make) -> None:
            world.opt.step(world.layers(make(world)))

        def in_closure(world: World, make: Callable[[World], Any] = make) -> None:
            world.opt.step(closure=lambda: (0.5, world.layers(make(world))))

        def in_bind(world: World, make: Callable[[World], Any] = make) -> None:
            world.opt.bind(world.layers(make(world)))

        for door, call in (("step", in_step), ("closure", in_closure), ("bind", in_bind)):
            path = "grads/layers/0/b"
            rows.append(Row(f"{name}-{door}", call, error, path, expected, came, mend))
    for name, make, error, expected, came, mend in BAD_GRADS:

        def in_ops(world: World, make: Callable[[World], Any] = make) -> None:
            p, g = world.keep(np.ones(5)), make(world)
            ops.sgd_(p, g, step=1)

        def in_ops_list(world: World, make: Callable[[World], Any] = make) -> None:
            p, q = world.keep(np.ones(2)), world.keep(np.ones(5))
            ops.sgd_([p, q], [np.ones(2), make(world)], step=1)

        rows.append(Row(f"{name}-ops", in_ops, error, "g: ", expected, came, mend))
        rows.append(Row(f"{name}-ops-list", in_ops_list, error, "g[1]: ", expected, came, mend))
    return rows


@table(bad_grads())
def test_gradients(row):
    fails(row)


NUMBERS = [
    Row("an int", lambda w: w.opt.step(w.grads(s=1)), TypeError,
        "grads/s: ", "shape ()", "an int", "NumPy array"),
    Row("a bool", lambda w: w.opt.step(w.grads(s=True)), TypeError,
        "grads/s: ", "shape ()", "a bool", "NumPy array"),
    Row("a complex number", lambda w: w.opt.step(w.grads(s=1j)), TypeError,
        "grads/s: ", "shape ()", "a complex", "NumPy array"),
    Row("a NumPy int", lambda w: w.opt.step(w.grads(s=np.int32(1))), TypeError,
        "grads/s: ", "real float", "int32", "astype"),
    Row("a float, bound", lambda w: w.opt.bind(w.grads(s=1.0)), TypeError,
        "grads/s: ", "array", "a float", "np."),
    Row("a NumPy float, bound", lambda w: w.opt.bind(w.grads(s=np.float64(1))), TypeError,
        "grads/s: ", "array", "float64", "np."),
]  # fmt: skip


@table(NUMBERS)
def test_numbers_as_gradients(row):
    fails(row)


# Trees of gradients, and trees that changed. ----------------------------------------------------


def without(tree: dict[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in tree.items() if k != key}


def changed(change: Callable[[dict[str, Any]], Any]) -> Callable[[World], Any]:
    """A step after something happened to the tree of parameters."""

    def call(world: World) -> None:
        change(world.params)
        world.opt.step(world.grads())

    return call


def resized(world: World) -> None:
    world.params["s"].shape = (1,)
    world.opt.step(world.grads())


def grouped(world: World, grads: Any) -> None:
    groups = [{"params": {"a": np.ones(2)}}, {"params": [np.ones(3)], "lr": 0.5}]
    new(world, oc.SGD, groups).step(grads)


PAIR = [{"a": np.ones(2)}, [np.ones(3)]]
MATCHING = [
    Row("missing", lambda w: w.opt.step(without(w.grads(), "W")), KeyError,
        "grads/W ", "a gradient for every parameter", "is missing", "None to leave"),
    Row("missing below", lambda w: w.opt.step(w.grads(layers=[{}, {"b": np.ones(2)}])), KeyError,
        "grads/layers/0/b ", "a gradient for every parameter", "is missing", "add it"),
    Row("extra", lambda w: w.opt.step(w.grads(V=np.ones(2))), KeyError,
        "grads/V ", "keys 'W', 'layers', 's'", "has no parameter", "remove"),
    Row("extra, escaped", lambda w: w.opt.step(w.grads(**{"a/b~": np.ones(2)})), KeyError,
        "grads/a~1b~0 ", "keys", "has no parameter", "remove"),
    Row("renamed", lambda w: w.opt.step(without(w.grads(w=np.ones((3, 4))), "W")), KeyError,
        "grads/W ", "a gradient for every parameter", "is missing", "add it"),
    Row("a list for a dict", lambda w: w.opt.step(list(w.grads().values())), TypeError,
        "grads: ", "a dict with keys 'W', 'layers', 's'", "a list", "mirror"),
    Row("an array for a dict", lambda w: w.opt.step(np.ones(3)), TypeError,
        "grads: ", "a dict with keys", "a numpy.ndarray", "mirror"),
    Row("a dict for a list", lambda w: w.opt.step(w.grads(layers={"0": 1, "1": 2})), TypeError,
        "grads/layers: ", "a list or tuple of 2", "a dict", "mirror"),
    Row("a list too short", lambda w: w.opt.step(w.grads(layers=[None])), ValueError,
        "grads/layers: ", "2 items", "got 1", "None leaves one alone"),
    Row("None for a subtree", lambda w: w.opt.step(w.grads(layers=None)), TypeError,
        "grads/layers: ", "a list or tuple", "None", "mirror"),
    Row("nothing at all", lambda w: w.opt.step(), TypeError,
        "grads: ", "gradients", "None", "bind(grads)"),
    Row("nothing by name", lambda w: w.opt.step(None), TypeError,
        "grads: ", "gradients", "None", "bind(grads)"),
    Row("gradients and a closure", lambda w: w.opt.step(w.grads(), closure=lambda: (0, w.grads())),
        TypeError, "step: ", "gradients or a closure", "both", "one of them"),
    Row("a closure that gives the loss alone", lambda w: w.opt.step(closure=lambda: 0.5),
        TypeError, "closure: ", "the loss and the gradients", "0.5", "return"),
    Row("a closure that gives nothing", lambda w: w.opt.step(closure=lambda: None),
        TypeError, "closure: ", "the loss and the gradients", "None", "return"),
    Row("a closure without gradients", lambda w: w.opt.step(closure=lambda: (0.5, None)),
        TypeError, "grads: ", "gradients", "None", "pass a tree"),
    Row("bound wrongly", lambda w: w.opt.bind(without(w.grads(), "s")), KeyError,
        "grads/s ", "a gradient for every parameter", "is missing", "add it"),
    Row("one tree for two groups", lambda w: grouped(w, PAIR[0]), TypeError,
        "grads: ", "a list of 2 trees", "a dict", "mirror the groups"),
    Row("three trees for two groups", lambda w: grouped(w, [*PAIR, {}]), TypeError,
        "grads: ", "a list of 2 trees", "3 items", "mirror the groups"),
    Row("a bad leaf in a group", lambda w: grouped(w, [PAIR[0], [np.ones(2)]]), ValueError,
        "grads[1]/0: ", "shape (3,)", "(2,)", "reshape"),
    Row("a missing leaf in a group", lambda w: grouped(w, [{}, PAIR[1]]), KeyError,
        "grads[0]/a ", "a gradient for every parameter", "is missing", "add it"),

    Row("a parameter replaced", changed(lambda p: p.update(W=p["W"] - 0.1)), ValueError,
        "params/W ", "the array it was given", "was replaced", "W[...] = ..."),
    Row("a parameter replaced below", changed(lambda p: p["layers"][0].update(b=np.ones(5))),
        ValueError, "params/layers/0/b ", "the array it was given", "was replaced", "[...] ="),
    Row("a parameter replaced by an equal one", changed(lambda p: p.update(W=p["W"].copy())),
        ValueError, "params/W ", "the array it was given", "was replaced", "[...] ="),
    Row("a parameter removed", changed(lambda p: p.pop("s")), KeyError,
        "params/s ", "the tree unchanged", "was removed", "put it back"),
    Row("a parameter added", changed(lambda p: p.update(V=np.ones(2))), KeyError,
        "params/V ", "the tree unchanged", "was added", "remove it"),
    Row("a layer removed", changed(lambda p: p["layers"].pop()), ValueError,
        "params/layers ", "2 items", "changed its length", "new optimizer"),
    Row("a layer added", changed(lambda p: p["layers"].append({"b": np.ones(2)})), ValueError,
        "params/layers ", "2 items", "changed its length", "new optimizer"),
    Row("a layer turned into an array", changed(lambda p: p.update(layers=np.ones(2))), ValueError,
        "params/layers ", "2 items", "type", "new optimizer"),
    Row("a dict turned into a list", changed(lambda p: p["layers"].__setitem__(0, [np.ones(5)])),
        ValueError, "params/layers/0 ", "dict", "unchanged", "new optimizer"),
    Row("a parameter made read-only", changed(lambda p: p["W"].setflags(write=False)), ValueError,
        "params/W ", "expected it unchanged", "read-only", "new optimizer"),
]  # fmt: skip


@table(MATCHING)
def test_trees_of_gradients(row):
    fails(row)


def test_a_failed_bind_leaves_the_earlier_one():
    world = World()
    world.opt.bind(world.grads())
    with pytest.raises(KeyError):
        world.opt.bind({})
    with pytest.raises(KeyError):
        world.opt.step({})
    world.check()
    world.opt.step()
    assert world.opt.step_count == 3


# State given to ops. ----------------------------------------------------------------------------


def adam(world: World, **changed: Any) -> None:
    """ops.adam_ on good arrays but for what is named; a callable is given the parameter."""
    p = world.keep(np.ones((3, 4), np.float32))
    slots = {"exp_avg": np.zeros_like(p), "exp_avg_sq": np.zeros_like(p)}
    for name, make in changed.items():
        slots[name] = make(p) if callable(make) else make
    for slot in slots.values():
        if isinstance(slot, np.ndarray):
            world.keep(slot)
    ops.adam_(p, np.ones_like(p), **slots, step=1)


def adam_list(world: World, second: Any) -> None:
    p = [world.keep(np.ones(3)), world.keep(np.ones(2))]
    m = [world.keep(np.zeros(3)), world.keep(second)]
    ops.adam_(p, [np.ones(3), np.ones(2)], m, [np.zeros(3), np.zeros(2)], step=1)


def adafactor(world: World, row: np.ndarray, col: np.ndarray | None) -> None:
    p = world.keep(np.ones((4, 3)))
    ops.adafactor_(p, np.ones((4, 3)), world.keep(row), world.keep(col), step=1)


def nadam(world: World, product: Any) -> None:
    p = world.keep(np.ones(3))
    ops.nadam_(p, np.ones(3), np.zeros(3), np.zeros(3), world.keep(product), step=1)


def same_slot_twice(world: World) -> None:
    p, m = world.keep(np.ones(3)), world.keep(np.zeros(3))
    ops.adam_(p, np.ones(3), m, m, step=1)


AS_PARAM = "as its parameter"
STATE = [
    Row("another order", lambda w: adam(w, exp_avg=np.zeros((3, 4), np.float32, order="F")),
        ValueError, "exp_avg: ", "strides (16, 4), as its parameter", "(4, 12)", "zeros_like"),
    Row("another shape", lambda w: adam(w, exp_avg_sq=np.zeros((4, 3), np.float32)),
        ValueError, "exp_avg_sq: ", "shape (3, 4), as its parameter", "(4, 3)", "zeros_like"),
    Row("another number of axes", lambda w: adam(w, exp_avg=np.zeros(12, np.float32)),
        ValueError, "exp_avg: ", "shape (3, 4), as its parameter", "(12,)", "zeros_like"),
    Row("another dtype", lambda w: adam(w, exp_avg=np.zeros((3, 4))),
        TypeError, "exp_avg: ", "float32 or bfloat16, as its parameter is float32", "float64",
        "zeros_like"),
    Row("an int dtype", lambda w: adam(w, exp_avg=np.zeros((3, 4), np.int32)),
        TypeError, "exp_avg: ", "float32", "int32", ""),
    Row("strided", lambda w: adam(w, exp_avg=np.zeros((3, 8), np.float32)[:, ::2]),
        ValueError, "exp_avg: ", "strides (16, 4)", "(32, 8)", "zeros_like"),
    Row("backwards", lambda w: adam(w, exp_avg=np.zeros((3, 4), np.float32)[::-1]),
        ValueError, "exp_avg: ", "strides (16, 4)", "(-16, 4)", "zeros_like"),
    Row("read-only", lambda w: adam(w, exp_avg=read_only(np.zeros((3, 4), np.float32))),
        ValueError, "exp_avg: ", "writable", "read-only", "copy"),
    Row("misaligned", lambda w: adam(w, exp_avg=misaligned((3, 4), "f4")),
        ValueError, "exp_avg: ", "aligned", "misaligned", "copy()"),
    Row("byte-swapped", lambda w: adam(w, exp_avg=np.zeros((3, 4), swapped("f4"))),
        ValueError, "exp_avg: ", "native byte order", swapped("f4"), "newbyteorder"),
    Row("a list", lambda w: adam(w, exp_avg=[0.0] * 12),
        TypeError, "exp_avg: ", "a NumPy array", "a list", "np.asarray"),
    Row("the parameter itself", lambda w: adam(w, exp_avg=lambda p: p),
        ValueError, "", "share no memory", "p and exp_avg are the same array", "its own"),
    Row("a view of the parameter", lambda w: adam(w, exp_avg_sq=lambda p: p[:]),
        ValueError, "", "share no memory", "overlap in memory", "its own"),
    Row("one array in two slots", same_slot_twice,
        ValueError, "", "share no memory", "exp_avg and exp_avg_sq are the same array", "its own"),
    Row("in a list", lambda w: adam_list(w, np.zeros(3)),
        ValueError, "exp_avg[1]: ", "shape (2,), as its parameter", "(3,)", "zeros_like"),
    Row("a list too short", lambda w: ops.sgd_([w.keep(np.ones(2))], [], step=1),
        ValueError, "g: ", "a list of 1", "0 items", "one array per parameter"),
    Row("an array for a list", lambda w: ops.sgd_([w.keep(np.ones(2))], np.ones(2), step=1),
        ValueError, "g: ", "a list of 1", "a ndarray", "one array per parameter"),
    Row("left out", lambda w: adam(w, exp_avg=None),
        TypeError, "exp_avg: ", "array", "None", "zeros_like"),
    Row("left out, another in its place",
        lambda w: adam(w, exp_avg=None, max_exp_avg_sq=np.zeros((3, 4), np.float32)),
        TypeError, "exp_avg: ", "array", "None", "zeros_like"),
    Row("not asked for", lambda w: adam(w, max_exp_avg_sq=np.zeros((3, 4), np.float32)),
        TypeError, "max_exp_avg_sq: ", "None", "array", "amsgrad"),
    Row("asked for", lambda w: ops.sgd_(w.keep(np.ones(2)), np.ones(2), step=1, momentum=0.9),
        TypeError, "momentum_buffer: ", "array", "None", "zeros_like"),

    Row("a factor of another shape", lambda w: adafactor(w, np.zeros((4,)), np.zeros((1, 3))),
        ValueError, "row_var: ", "shape (4, 1)", "(4,)", "np.zeros(shape"),
    Row("factors swapped", lambda w: adafactor(w, np.zeros((1, 3)), np.zeros((4, 1))),
        ValueError, "row_var: ", "shape (4, 1)", "(1, 3)", "np.zeros(shape"),
    Row("a factor of another dtype",
        lambda w: adafactor(w, np.zeros((4, 1), np.float32), np.zeros((1, 3))),
        TypeError, "row_var: ", "the dtype of its parameter", "float32", "np.zeros(shape"),
    Row("a strided factor", lambda w: adafactor(w, np.zeros((8, 1))[::2], np.zeros((1, 3))),
        ValueError, "row_var: ", "C-contiguous", "(16, 8)", "ascontiguousarray"),
    Row("a product in float32", lambda w: nadam(w, np.ones((), np.float32)),
        TypeError, "mu_product: ", "float64", "float32", "np.ones(())"),
    Row("two products", lambda w: nadam(w, np.ones(2)),
        ValueError, "mu_product: ", "1 value", "(2,)", "np.ones(())"),
    Row("a product as a number", lambda w: nadam(w, 1.0),
        TypeError, "mu_product: ", "a NumPy array", "a float", ""),
    Row("a product read-only", lambda w: nadam(w, read_only(np.ones(()))),
        ValueError, "mu_product: ", "writable", "read-only", "copy"),

    Row("step 0", lambda w: ops.sgd_(w.keep(np.ones(2)), np.ones(2), step=0),
        ValueError, "step: ", "1 to 2**64 - 1", "0", "count from 1"),
    Row("step -1", lambda w: ops.sgd_(w.keep(np.ones(2)), np.ones(2), step=-1),
        ValueError, "step: ", "1 to 2**64 - 1", "-1", "count from 1"),
    Row("step 2**64", lambda w: ops.sgd_(w.keep(np.ones(2)), np.ones(2), step=2**64),
        ValueError, "step: ", "1 to 2**64 - 1", str(2**64), "count from 1"),
    Row("step 1.0", lambda w: ops.sgd_(w.keep(np.ones(2)), np.ones(2), step=1.0),
        TypeError, "step: ", "an int", "1.0", "count from 1"),
    Row("step True", lambda w: ops.sgd_(w.keep(np.ones(2)), np.ones(2), step=True),
        TypeError, "step: ", "an int", "True", "count from 1"),
    Row("steps in an array", lambda w: ops.sgd_([np.ones(2)], [np.ones(2)], step=np.array([1, 2])),
        TypeError, "step: ", "an int", "array([1, 2])", "count from 1"),
    Row("a step too many", lambda w: ops.sgd_([np.ones(2)], [np.ones(2)], step=[1, 2]),
        ValueError, "step: ", "1 numbers, one per array", "got 2", ""),
    Row("a schedule", lambda w: ops.sgd_(np.ones(2), np.ones(2), step=1,
                                         lr=SCHEDULES.Constant(0.1)),
        TypeError, "lr: ", "a number", "Constant", "schedule(step)"),
]  # fmt: skip


@table(STATE)
def test_state_of_ops(row):
    fails(row)


BATCHED = np.ones((2, 3, 4)).transpose(1, 0, 2)


@pytest.mark.parametrize("p", [BATCHED, np.ones((3, 4))[::-1]], ids=["permuted", "backwards"])
def test_layouts_that_a_factored_rule_cannot_walk(p):
    with pytest.raises(ValueError, match=r"^params/W: expected .*got.*ascontiguousarray"):
        oc.Adafactor({"W": p})
    assert np.all(p == 1)


# Hyperparameters. -------------------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")


class Hyper(NamedTuple):
    kind: str
    options: dict[str, Any]
    words: str
    """How torch's message, and ours, begins."""
    torch: bool = True
    """Whether torch refuses it too."""


def misses(kind: str, value: float) -> bool:
    """torch's SGD asks whether a value is below 0, which NaN is not."""
    return kind == "SGD" and value != value


def hypers() -> list[Hyper]:
    rows = []
    betas = "Invalid beta parameter at index"
    plain = ("SGD", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "NAdam", "Adamax", "RAdam")
    for kind in (*plain, "Momentum", "NAdamW", "AdamaxW", "AdaBelief", "Yogi"):
        known = kind in plain
        for value in (-1.0, -0.25, -1e-5, -10.0, -123456.0, -1e20, NAN):
            words = f"Invalid learning rate: {value}"
            rows.append(Hyper(kind, {"lr": value}, words, known and not misses(kind, value)))
        rows.append(Hyper(kind, {"lr": INF}, "Invalid learning rate: inf", False))
        for value in (-0.5, NAN, INF):
            words = f"Invalid weight_decay value: {value}"
            refused = known and value != INF and not misses(kind, value)
            rows.append(Hyper(kind, {"weight_decay": value}, words, refused))
    for kind in (*plain[1:], "NAdamW", "AdamaxW", "AdaBelief", "Yogi"):
        for value in (-1e-8, -0.5, NAN, INF):
            words, refused = f"Invalid epsilon value: {value}", kind in plain and value != INF
            rows.append(Hyper(kind, {"eps": value}, words, refused))
    for kind in (*plain[4:], "NAdamW", "AdamaxW", "AdaBelief", "Yogi"):
        for value in (-0.1, 1.0, 1.5, NAN):
            known = kind in plain
            rows.append(Hyper(kind, {"betas": (value, 0.9)}, f"{betas} 0: {value}", known))
            rows.append(Hyper(kind, {"betas": (0.9, value)}, f"{betas} 1: {value}", known))
    rows.append(Hyper("Adamax", {"eps": -1.0, "eps_in_max": False}, "Invalid epsilon value", False))
    for kind in ("RAdam", "AdaBelief", "Yogi"):
        for value in (-0.5, NAN, INF):
            rows.append(Hyper(kind, {"eps_root": value}, f"Invalid eps_root value: {value}", False))
    for value in (3.5, -5.0, NAN, INF):
        words = f"Invalid threshold value: {value}"
        rows.append(Hyper("RAdam", {"threshold": value}, words, False))
    for value in (-0.5, NAN, INF):
        words = f"Invalid initial_accumulator_value value: {value}"
        rows.append(Hyper("Yogi", {"initial_accumulator_value": value}, words, False))
    for option in ("lr", "weight_decay", "lambd", "alpha", "t0"):
        name = "learning rate" if option == "lr" else f"{option} value"
        for value in (NAN, INF, *([-0.5] if option != "t0" else [])):
            refused = option in ("lr", "weight_decay") and value != INF
            rows.append(Hyper("ASGD", {option: value}, f"Invalid {name}: {value}", refused))
    for value in (-0.5, NAN, INF):
        words = f"Invalid learning rate: {value}"
        rows.append(Hyper("Rprop", {"lr": value}, words, value != INF))
    for etas in (
        (0.0, 1.2),
        (1.0, 1.2),
        (-0.5, 1.2),
        (0.5, 1.0),
        (0.5, 0.9),
        (NAN, 2.0),
        (0.5, INF),
    ):
        rows.append(Hyper("Rprop", {"etas": etas}, "Invalid eta values: ", False))
    for sizes in ((-1e-6, 50.0), (1e-6, NAN), (1e-6, INF), (2.0, 1.0)):
        rows.append(Hyper("Rprop", {"step_sizes": sizes}, "Invalid step_sizes values: ", False))
    for value in (-0.5, NAN):
        for kind, option in (
            ("SGD", "momentum"),
            ("RMSprop", "momentum"),
            ("RMSprop", "alpha"),
            ("Adadelta", "rho"),
            ("Adagrad", "lr_decay"),
            ("Adagrad", "initial_accumulator_value"),
            ("NAdam", "momentum_decay"),
        ):
            words = f"Invalid {option} value: {value}"
            rows.append(Hyper(kind, {option: value}, words, not misses(kind, value)))
        rows.append(Hyper("Momentum", {"momentum": value}, "Invalid momentum value: ", False))
        rows.append(Hyper("Adam", {"eps_root": value}, f"Invalid eps_root value: {value}", False))
    rows.append(Hyper("SGD", {"dampening": NAN, "momentum": 0.9}, "Invalid dampening value", False))
    rows.append(Hyper("Adadelta", {"rho": 1.5}, "Invalid rho value: 1.5"))
    rows.append(Hyper("RMSprop", {"alpha": 1.5}, "Invalid alpha value: 1.5", False))
    nesterov = "Nesterov momentum requires a momentum and zero dampening"
    for options in ({}, {"momentum": 0.9, "dampening": 0.5}, {"dampening": 0.5}):
        rows.append(Hyper("SGD", {"nesterov": True, **options}, nesterov))
    for option, values, words, known in (
        ("lr", (-0.5, NAN), "Learning rate should be >= 0 but is: ", True),
        ("beta2_decay", (0.5, NAN), "beta2_decay should be <= 0 but is: ", True),
        ("d", (0.5, NAN), "Clipping threshold d should be >= 1 but is: ", True),
        ("weight_decay", (-0.5, NAN), "weight_decay should be >= 0 but is: ", True),
        ("beta2", (-0.5, 1.5, NAN), "Invalid beta2 value: ", False),
    ):
        for value in values:
            rows.append(Hyper("Adafactor", {option: value}, f"{words}{value}", known))
    words = "epsilon1 should be >= 0 but is: "
    rows.append(Hyper("Adafactor", {"eps": (-0.5, 1e-3)}, f"{words}-0.5"))
    words = "epsilon2 should be >= 0 but is: "
    rows.append(Hyper("Adafactor", {"eps": (None, -0.5)}, f"{words}-0.5"))
    rows.append(Hyper("Adafactor", {"eps_mode": "max"}, "eps_mode: expected one of clamp, ", False))
    rows.append(Hyper("Momentum", {"form": "fast"}, "form: expected one of velocity, ", False))
    return rows


def hyper_id(row: Hyper) -> str:
    return f"{row.kind}-" + ",".join(f"{k}={v}" for k, v in row.options.items())


hyper_rows = pytest.mark.parametrize("row", hypers(), ids=hyper_id)


@hyper_rows
def test_hyperparameters_out_of_range(row):
    kind = getattr(oc, row.kind)

    def in_class(world: World) -> None:
        new(world, kind, {"W": world.keep(np.ones(2))}, **row.options)

    def in_group(world: World) -> None:
        good, bad = ({"params": {k: world.keep(np.ones(2))}} for k in ("a", "b"))
        new(world, kind, [good, {**bad, **row.options}])

    for call in (in_class, in_group):
        message = fails(Row("", call, ValueError, row.words, "", "", ""))
        assert re.search(r"has to be|should be|requires|expected", message)
        assert not re.search(r"eps_out|eps_in\b", message), "the core's own name"


@hyper_rows
def test_hyperparameters_written_to_a_group(row):
    """The same values are refused later on, and leave the group as it was."""
    base = {"momentum": 0.9} if row.kind == "SGD" else {}
    opt = getattr(oc, row.kind)(np.ones(2), **base)
    before = repr(opt.state_dict())
    (name, value), *more = row.options.items()
    if more or name == "nesterov":
        pytest.skip("a matter of two values")
    with pytest.raises(ValueError, match="^" + re.escape(row.words)):
        opt.groups[0][name] = value
    if name == "lr":
        with pytest.raises(ValueError, match="^" + re.escape(row.words)):
            opt.lr = value
    assert repr(opt.state_dict()) == before


@pytest.mark.parametrize("row", [row for row in hypers() if row.torch], ids=hyper_id)
def test_words_are_those_of_torch(row):
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match="^" + re.escape(row.words) + "$"):
        getattr(torch.optim, row.kind)([torch.ones(2)], **row.options)


@pytest.mark.parametrize(
    ("optim", "array", "groups"),
    [("torch", None, "param_groups"), ("optcore", np.ones(2), "groups")],
)
def test_words_of_torch_about_lists_and_groups(optim, array, groups):
    if optim == "torch":
        torch = pytest.importorskip("torch")
        kind, array = torch.optim.SGD, torch.ones(2)
    else:
        kind = oc.SGD
    with pytest.raises(ValueError, match=r"^optimizer got an empty parameter list"):
        kind([])
    opt = kind([array])
    words = r"^loaded state dict has a different number of parameter groups"
    with pytest.raises(ValueError, match=words):
        opt.load_state_dict({**opt.state_dict(), groups: []})


def make(kind: str, **options: Any) -> Callable[[World], Any]:
    return lambda world: getattr(oc, kind)({"W": world.keep(np.ones(2))}, **options)


class Odd:
    def __repr__(self) -> str:
        return "<odd>"


TYPES = [
    Row("lr as text", make("SGD", lr="0.1"), TypeError, "lr: ", "a number", "'0.1'", "1e-3"),
    Row("lr None", make("SGD", lr=None), TypeError, "lr: ", "a number", "None", "1e-3"),
    Row("lr bool", make("SGD", lr=True), TypeError, "lr: ", "a number", "True", "1e-3"),
    Row("lr complex", make("SGD", lr=1j), TypeError, "lr: ", "a number", "1j", "1e-3"),
    Row("lr a list", make("SGD", lr=[0.1]), TypeError, "lr: ", "a number", "[0.1]", "1e-3"),
    Row("lr an array", make("SGD", lr=np.ones(2)), TypeError, "lr: ", "a number", "array", "1e-3"),
    Row("lr an object", make("SGD", lr=Odd()), TypeError, "lr: ", "a number", "<odd>", "1e-3"),
    Row("lr beyond floats", make("SGD", lr=10**400), ValueError, "lr: ", "number", "", ""),
    Row("a beta as text", make("Adam", betas=("a", 0.9)), TypeError,
        "betas[0]: ", "a number", "'a'", "1e-3"),
    Row("betas a number", make("Adam", betas=0.9), TypeError,
        "betas: ", "two values", "0.9", "(0.9, 0.999)"),
    Row("three betas", make("Adam", betas=(0.9, 0.9, 0.9)), TypeError,
        "betas: ", "two values", "(0.9, 0.9, 0.9)", "(0.9, 0.999)"),
    Row("betas None", make("NAdam", betas=None), TypeError,
        "betas: ", "two values", "None", "(0.9, 0.999)"),
    Row("eps as text", make("RMSprop", eps="x"), TypeError, "eps: ", "a number", "'x'", "1e-3"),
    Row("eps a number", make("Adafactor", eps=1e-3), TypeError, "eps: ", "two values", "0.001", ""),
    Row("second eps None", make("Adafactor", eps=(None, None)), TypeError,
        "eps[1]: ", "a number", "None", "1e-3"),
    Row("momentum as text", make("SGD", momentum="x"), TypeError,
        "momentum: ", "a number", "'x'", "1e-3"),
    Row("a start that is scheduled",
        make("Adagrad", initial_accumulator_value=SCHEDULES.Constant(1.0)), TypeError,
        "initial_accumulator_value: ", "a number", "Constant", "0.0"),
    Row("one eta", make("Rprop", etas=(0.5,)), TypeError,
        "etas: ", "two values", "(0.5,)", "(0.5, 1.2)"),
    Row("step sizes a number", make("Rprop", step_sizes=50.0), TypeError,
        "step_sizes: ", "two values", "50.0", "(1e-06, 50.0)"),
    Row("nesterov 1", make("SGD", nesterov=1, momentum=0.9), TypeError,
        "nesterov: ", "True or False", "1", "bool"),
    Row("maximize None", make("SGD", maximize=None), TypeError,
        "maximize: ", "True or False", "None", "bool"),
    Row("amsgrad text", make("Adam", amsgrad="yes"), TypeError,
        "amsgrad: ", "True or False", "'yes'", "bool"),
    Row("centered 0", make("RMSprop", centered=0), TypeError,
        "centered: ", "True or False", "0", "bool"),

    Row("threads 0", make("SGD", threads=0), ValueError, "threads: ", "1 to 1024", "0", "None"),
    Row("threads -1", make("SGD", threads=-1), ValueError, "threads: ", "1 to 1024", "-1", "None"),
    Row("threads 1.0", make("SGD", threads=1.0), TypeError, "threads: ", "an int", "1.0", "2"),
    Row("threads True", make("SGD", threads=True), TypeError, "threads: ", "an int", "True", "2"),
    Row("threads text", make("SGD", threads="2"), TypeError, "threads: ", "an int", "'2'", "2"),
    Row("threads 2**40", make("SGD", threads=2**40), ValueError,
        "threads: ", "1 ", str(2**40), "None"),
    Row("threads set", lambda w: setattr(w.opt, "threads", 0), ValueError,
        "threads: ", "1 to 1024", "0", "None"),
    Row("process threads 0", lambda w: oc.set_num_threads(0), ValueError,
        "threads: ", "1 to 1024", "0", "None"),
    Row("process threads text", lambda w: oc.set_num_threads("two"), TypeError,
        "threads: ", "an int", "'two'", "2"),
    Row("threads of a norm", lambda w: oc.global_norm(np.ones(2), threads=0), ValueError,
        "threads: ", "1 to 1024", "0", "None"),

    Row("clip_norm 0", make("SGD", clip_norm=0.0), ValueError,
        "clip_norm: ", "above 0", "0.0", "None turns it off"),
    Row("clip_norm -1", make("SGD", clip_norm=-1.0), ValueError,
        "clip_norm: ", "above 0", "-1.0", "None turns it off"),
    Row("clip_norm NaN", make("SGD", clip_norm=NAN), ValueError,
        "clip_norm: ", "above 0", "nan", "None turns it off"),
    Row("clip_norm text", make("SGD", clip_norm="1"), TypeError,
        "clip_norm: ", "a number or None", "'1'", "1.0"),
    Row("clip_norm bool", make("SGD", clip_norm=True), TypeError,
        "clip_norm: ", "a number or None", "True", "1.0"),
    Row("clip_norm scheduled", make("SGD", clip_norm=SCHEDULES.Constant(1.0)), TypeError,
        "clip_norm: ", "a number or None", "Constant", "1.0"),
    Row("clip_norm set", lambda w: setattr(w.opt, "clip_norm", -1), ValueError,
        "clip_norm: ", "above 0", "-1", "None turns it off"),
    Row("clip_value 0", make("SGD", clip_value=0.0), ValueError,
        "clip_value: ", "above 0", "0.0", "None turns it off"),
    Row("clip_value NaN", make("SGD", clip_value=NAN), ValueError,
        "clip_value: ", "above 0", "nan", "None turns it off"),
    Row("clip_value a list", make("SGD", clip_value=[1.0]), TypeError,
        "clip_value: ", "a number or None", "[1.0]", "1.0"),

    Row("state turned on later", lambda w: oc.SGD(np.ones(2)).groups[0].update(momentum=0.9),
        ValueError, "groups[0]: ", "as it was", "coefficient that was 0", "new optimizer"),
    Row("amsgrad turned off later", lambda w: w.opt.groups[0].update(amsgrad=False),
        ValueError, "groups[0]: ", "as it was", "amsgrad", "new optimizer"),
    Row("a start changed later",
        lambda w: oc.Adagrad(np.ones(2)).groups[0].update(initial_accumulator_value=1.0),
        ValueError, "groups[0]: ", "as it was", "initial_accumulator_value", "new optimizer"),
    Row("an average in 8 bits",
        lambda w: oc.ASGD(np.ones(2, np.float32), state_dtype="8bit").averaged_params, TypeError,
        "averaged_params: ", "float32 or bfloat16", "8-bit codes", "state_dtype="),
]  # fmt: skip


@table(TYPES)
def test_arguments_of_the_wrong_type(row):
    threads = oc.get_num_threads()
    fails(row)
    assert oc.get_num_threads() == threads


# Around the rule: number formats, averages, copies, and what a step does beside. ----------------

BF16 = ml_dtypes.bfloat16


def over(dtype: Any, kind: str = "Adam", shape: Any = (3, 4), **options: Any) -> Callable[..., Any]:
    """Makes an optimizer over one parameter of that type; an option that is a function is called
    with the world and the parameter."""

    def call(world: World) -> None:
        p = world.keep(np.ones(shape, dtype))
        given = {k: v(world, p) if inspect.isfunction(v) else v for k, v in options.items()}
        new(world, getattr(oc, kind), {"W": p}, **given)

    return call


def single(**options: Any) -> Callable[[World], Any]:
    return over(np.float32, **options)


def tree_of(array: Callable[[np.ndarray], Any]) -> Callable[[World, np.ndarray], Any]:
    """A tree as that of the parameters, with what is made of the parameter in its place."""
    return lambda world, p: {"W": world.keep(array(p))}


def weights(array: Callable[[np.ndarray], Any]) -> Callable[[World], Any]:
    def ema(world: World, p: np.ndarray) -> Any:
        return oc.EMA(0.5, weights=tree_of(array)(world, p))

    return single(ema=ema)


def copied_to(array: Callable[[np.ndarray], Any]) -> Callable[[World], Any]:
    return single(copy_to=tree_of(array))


def other_trees(name: str, path: str, make_tree: Callable[[Any], Any], leaf: Any) -> list[Row]:
    """Trees that are not nested as the parameters."""

    def given(tree: Any) -> Callable[[World], Any]:
        def call(world: World) -> None:
            params = {"W": world.keep(np.ones(3, np.float32)), "x": [world.keep(np.ones(2, "f4"))]}
            new(world, oc.SGD, params, **{name: make_tree(tree)})

        return call

    def in_groups(tree: Any) -> Callable[[World], Any]:
        def call(world: World) -> None:
            groups = [{"params": {k: world.keep(np.ones(3, np.float32))}} for k in ("a", "b")]
            new(world, oc.SGD, groups, **{name: make_tree(tree)})

        return call

    w, x = np.ones(3, leaf), np.ones(2, leaf)
    nested = "arrays nested as the parameters"
    return [
        Row(f"{name}: a leaf missing", given({"W": w}), KeyError, path, nested, "['x/0']", ""),
        Row(f"{name}: a leaf too many", given({"W": w, "x": [x, x]}), KeyError,
            path, nested, "unknown ['x/1']", ""),
        Row(f"{name}: another name", given({"V": w, "x": [x]}), KeyError,
            path, nested, "missing ['W'], unknown ['V']", ""),
        Row(f"{name}: a bare array", given(w), KeyError, path, nested, "missing ['W', 'x/0']", ""),
        Row(f"{name}: one tree for two groups", in_groups({"a": w, "b": w}), TypeError,
            path, "a list of 2 trees", "{'a'", "mirrors the groups"),
        Row(f"{name}: three trees for two groups", in_groups([{"a": w}, {"b": w}, {}]), TypeError,
            path, "a list of 2 trees", "[{'a'", "mirrors the groups"),
        Row(f"{name}: another name in a group", in_groups([{"a": w}, {"c": w}]), KeyError,
            f"{path}[1]", nested, "unknown ['c']", ""),
    ]  # fmt: skip


def scaled(scale: Any) -> Callable[[World], Any]:
    return lambda world: world.opt.step(world.grads(), grad_scale=scale)


def scaled_bound(scale: Any) -> Callable[[World], Any]:
    def call(world: World) -> None:
        world.opt.bind(world.grads())
        world.opt.step(grad_scale=scale)

    return call


def decays(schedule: Any) -> Callable[[World], Any]:
    """Two good steps, and then one at which the decay is out of range."""

    def call(world: World) -> None:
        p = np.ones(3)
        opt = oc.SGD({"W": p}, ema=oc.EMA(schedule))
        for _ in range(2):
            opt.step({"W": np.ones(3)})
        world.keep(p)
        world.watch(opt)
        opt.step({"W": np.ones(3)})

    return call


def grouped_dtype(world: World) -> None:
    groups = [{"params": {k: world.keep(np.ones(3, np.float32))}} for k in ("a", "b")]
    new(world, oc.Adam, [groups[0], {**groups[1], "state_dtype": "4bit"}], state_dtype="8bit")


def rewritten(name: str, value: Any) -> Callable[[World], Any]:
    def call(world: World) -> None:
        opt = world.watch(oc.Adam({"W": np.ones(3, np.float32)}, state_dtype="8bit"))
        opt.groups[0][name] = value

    return call


STATES, BITS16 = "one of float32, bfloat16, 8bit", "bfloat16 or float16"
AROUND = [
    Row("float64 with bfloat16 state", over(np.float64, state_dtype="bfloat16"), TypeError,
        "state_dtype: ", "None for params/W", "'bfloat16'", "make the parameter float32"),
    Row("float64 with a slot of 8 bits", over(np.float64, state_dtype={"exp_avg": "8bit"}),
        TypeError, "state_dtype: ", "None for params/W", "'8bit'", "make the parameter float32"),
    Row("float32 with float64 state", single(state_dtype="float64"), TypeError,
        "state_dtype: ", STATES, "'float64'", "computes in float32"),
    Row("bfloat16 with float64 state", over(BF16, state_dtype=np.float64), TypeError,
        "state_dtype: ", STATES, "'float64'", "computes in float32"),
    Row("an unknown state_dtype", single(state_dtype="int4"), ValueError,
        "state_dtype: ", STATES, "'int4'", "pick one"),
    Row("float16 state", single(state_dtype=np.float16), ValueError,
        "state_dtype: ", STATES, "float16", "pick one"),
    Row("a state_dtype that is a number", single(state_dtype=8), ValueError,
        "state_dtype: ", STATES, "8", "pick one"),
    Row("an unknown state_dtype of a slot", single(state_dtype={"exp_avg": "4bit"}), ValueError,
        "state_dtype['exp_avg']: ", STATES, "'4bit'", "pick one"),
    Row("an unknown slot", single(state_dtype={"exp_avg": "8bit", "momentum": "8bit"}), KeyError,
        "state_dtype: ", "exp_avg, exp_avg_sq", "['momentum']", "params/W has no others"),
    Row("a slot of another option", single(state_dtype={"max_exp_avg_sq": "8bit"}), KeyError,
        "state_dtype: ", "exp_avg, exp_avg_sq", "['max_exp_avg_sq']", "no others"),
    Row("a slot where there is none", single(kind="SGD", state_dtype={"exp_avg": "8bit"}), KeyError,
        "state_dtype: ", "none", "['exp_avg']", "no others"),
    Row("a scalar slot", single(kind="NAdam", state_dtype={"mu_product": "8bit"}), KeyError,
        "state_dtype: ", "exp_avg, exp_avg_sq", "['mu_product']", "no others"),
    Row("a state_dtype in a group", grouped_dtype, ValueError,
        "state_dtype: ", STATES, "'4bit'", "pick one"),
    Row("a state_dtype changed later", rewritten("state_dtype", "float32"), ValueError,
        "groups[0]: ", "stay as it was", "state_dtype", "new optimizer"),
    Row("another state_dtype in a group later", rewritten("state_dtype", "4bit"), ValueError,
        "state_dtype: ", STATES, "'4bit'", "pick one"),
    *(
        Row(f"Adafactor with {state} state, {np.dtype(dtype)}",
            over(dtype, "Adafactor", state_dtype=state), TypeError,
            "state_dtype: ", "None for params/W", repr(state), "the parameter's own type")
        for state in ("bfloat16", "8bit", {"row_var": "8bit"})
        for dtype in (np.float32, np.float64)
    ),
    *(
        Row(f"Adafactor over {np.dtype(dtype)}, {rounding}, {shape}",
            over(dtype, "Adafactor", shape, low_precision=rounding), TypeError,
            "params/W: ", "a float32 or float64 array", "16 bits", "copy_to=")
        for dtype in (np.float16, BF16)
        for rounding in (None, "master")
        for shape in ((3,), (3, 4))
    ),

    Row("an unknown low_precision", single(low_precision="kahan"), ValueError,
        "low_precision: ", "one of master, stochastic, split", "'kahan'", "pick one"),
    Row("low_precision True", over(BF16, low_precision=True), ValueError,
        "low_precision: ", "one of master, stochastic, split", "True", "pick one"),
    *(
        Row(f"{rounding} float16", over(np.float16, low_precision=rounding), TypeError,
            f"low_precision: {rounding!r} ", "bfloat16", "params/W is float16", "use 'master'")
        for rounding in ("stochastic", "split")
    ),

    Row("ema a number", single(ema=0.999), TypeError, "ema: ", "an EMA", "0.999", "oc.EMA(0.999)"),
    Row("ema True", single(ema=True), TypeError, "ema: ", "an EMA", "True", "oc.EMA(0.999)"),
    *(
        Row(f"a decay of {decay}", lambda w, decay=decay: oc.EMA(decay), ValueError,
            "decay: ", "a number in [0, 1]", str(decay), "0.999")
        for decay in (1.5, -0.1, 1.0000001, NAN, INF, -INF)
    ),
    *(
        Row(f"a decay that is {decay!r}", lambda w, decay=decay: oc.EMA(decay), TypeError,
            "decay: ", "a number", repr(decay), "1e-3")
        for decay in ("0.9", None, True, [0.9])
    ),
    *(
        Row(f"a scheduled decay of {decay}", decays(lambda k, d=decay: 0.5 if k < 2 else d),
            ValueError, "ema: ", "a decay in [0, 1]", f"got {decay}", "at step 2")
        for decay in (1.5, -0.1, NAN)
    ),
    Row("a native schedule of the decay", decays(SCHEDULES.Polynomial(1.0, total=2, end=-1.0)),
        ValueError, "ema: ", "a decay in [0, 1]", "got -1.0", "at step 2"),
    Row("a scheduled decay of text", decays(lambda k: 0.5 if k < 2 else "x"), TypeError,
        "Lambda.f: ", "a number", "str 'x' at step 2", "return a float"),

    Row("an average of another shape", weights(lambda p: np.ones((4, 3), p.dtype)), ValueError,
        "ema of params/W: ", "shape (3, 4)", "(4, 3)", "zeros_like"),
    Row("an average of another dtype", weights(lambda p: np.ones(p.shape)), TypeError,
        "ema of params/W: ", "float32, as its parameter is float32", "float64", "zeros_like"),
    Row("an average in bfloat16", weights(lambda p: np.ones(p.shape, BF16)), TypeError,
        "ema of params/W: ", "float32", "bfloat16", "zeros_like"),
    Row("an average in another order", weights(lambda p: np.ones(p.shape, "f4", order="F")),
        ValueError, "ema of params/W: ", "strides (16, 4)", "(4, 12)", "zeros_like"),
    Row("an average that is strided", weights(lambda p: np.ones((3, 8), "f4")[:, ::2]),
        ValueError, "ema of params/W: ", "strides (16, 4)", "(32, 8)", "zeros_like"),
    Row("an average read-only", weights(lambda p: read_only(p.copy())), ValueError,
        "ema of params/W: ", "a writable array", "read-only", "copy"),
    Row("an average that is a number", weights(lambda p: 1.0), TypeError,
        "ema of params/W: ", "a NumPy array", "a float", "np.array"),
    Row("the parameter as its average", weights(lambda p: p), ValueError,
        "params/W and ema of params/W ", "share no memory", "the same array", "its own"),
    Row("a view of the parameter as its average", weights(lambda p: p[:]), ValueError,
        "params/W and ema of params/W ", "share no memory", "overlap in memory", "its own"),

    Row("a copy of another shape", copied_to(lambda p: np.ones((4, 3), BF16)), ValueError,
        "copy_to of params/W: ", "shape (3, 4)", "(4, 3)", "zeros_like"),
    Row("a copy in float32", copied_to(lambda p: np.ones(p.shape, "f4")), TypeError,
        "copy_to of params/W: ", BITS16, "float32", "zeros_like"),
    Row("a copy in integers", copied_to(lambda p: np.ones(p.shape, np.uint16)), TypeError,
        "copy_to of params/W: ", BITS16, "uint16", "zeros_like"),
    Row("a copy in another order", copied_to(lambda p: np.ones(p.shape, BF16, order="F")),
        ValueError, "copy_to of params/W: ", "strides (16, 4)", "(2, 6)", "zeros_like"),
    Row("a copy read-only", copied_to(lambda p: read_only(np.ones(p.shape, BF16))), ValueError,
        "copy_to of params/W: ", "a writable array", "read-only", "copy"),
    Row("a copy that is a list", copied_to(lambda p: {"x": 1.0}), KeyError,
        "copy_to: ", "nested as the parameters", "unknown ['W/x']", ""),
    Row("the parameter as its copy", over(BF16, copy_to=tree_of(lambda p: p)), ValueError,
        "params/W and copy_to of params/W ", "share no memory", "the same array", "its own"),
    Row("a copy of float64", over(np.float64, copy_to=tree_of(lambda p: np.ones(p.shape, BF16))),
        TypeError, "copy_to of params/W: ", "float32 or 16-bit", "float64", "None in its place"),
    *other_trees("ema", "ema/weights", lambda tree: oc.EMA(0.5, weights=tree), np.float32),
    *other_trees("copy_to", "copy_to", lambda tree: tree, BF16),

    Row("seed -1", single(seed=-1), ValueError, "seed: ", "0 to 2**64 - 1", "-1", "pass e.g. 0"),
    Row("seed 2**64", single(seed=2**64), ValueError,
        "seed: ", "0 to 2**64 - 1", str(2**64), "pass e.g. 0"),
    *(
        Row(f"seed {seed!r}", single(seed=seed), TypeError,
            "seed: ", "an int", repr(seed), "pass e.g. 0")
        for seed in (1.0, True, "1", None)
    ),
    *(
        Row(f"nonfinite {value!r}", single(nonfinite=value), ValueError,
            "nonfinite: ", "one of propagate, skip, raise", repr(value), "pick one")
        for value in ("ignore", None, True, 0, ["skip"])
    ),
    *(
        Row(f"{name} {value!r}", single(**{name: value}), TypeError,
            f"{name}: ", "True or False", repr(value), "pass a bool")
        for name in ("zero_grads", "stats")
        for value in (1, None, "yes")
    ),
    *(
        Row(f"grad_scale {value}, {door}", call(value), ValueError,
            "grad_scale: ", "a finite number above 0", f"got {float(value)}", "multiplied by")
        for value in (0, 0.0, -1.0, -INF, INF, NAN)
        for door, call in (("step", scaled), ("bound", scaled_bound))
    ),
    *(
        Row(f"grad_scale {value!r}", scaled(value), TypeError,
            "grad_scale: ", "a number", repr(value), "multiplied by")
        for value in ("2", None, 1j, True, [1.0])
    ),
    Row("a grad_scale beyond floats", scaled(10**400), TypeError,
        "grad_scale: ", "a number", "10000", "multiplied by"),
]  # fmt: skip


@table(AROUND)
def test_around_the_rule(row):
    fails(row)


@pytest.mark.parametrize("choice", ["bfloat16", {"exp_avg": "bfloat16"}], ids=["all", "one slot"])
def test_bfloat16_without_ml_dtypes(monkeypatch, choice):
    """The package is an extra: who wants the type is told how to get it."""
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    fails(Row("", single(state_dtype=choice), ImportError,
              "state_dtype: ", "needs the package ml_dtypes", "'bfloat16'",
              "pip install 'optcore[bf16]'"))  # fmt: skip
    oc.Adam({"W": np.ones(3, np.float32)}, state_dtype="8bit").step({"W": np.ones(3)})


def codes(n: int = 300, dtype: Any = np.uint8) -> np.ndarray:
    return np.zeros(n, dtype)


def scales(n: int = 2, dtype: Any = np.float32) -> np.ndarray:
    return np.zeros(n, dtype)


def pair(first: Any, second: Any, dtype: Any = np.float32) -> Callable[[World], Any]:
    """ops.adam_ on 300 elements, with 8-bit state made of these."""

    def call(world: World) -> None:
        p, v = world.keep(np.ones(300, dtype)), world.keep(np.zeros(300, dtype))
        ops.adam_(p, np.ones(300), (world.keep(first()), world.keep(second())), v, step=1)

    return call


def as_slot(slot: Any) -> Callable[[World], Any]:
    def call(world: World) -> None:
        p, v = world.keep(np.ones(300, np.float32)), world.keep(np.zeros(300, np.float32))
        ops.adam_(p, np.ones(300), slot, v, step=1)

    return call


def shared_scales(world: World) -> None:
    p, s = world.keep(np.ones(300, np.float32)), world.keep(scales())
    m, v = world.keep(codes()), world.keep(codes())
    ops.adam_(p, np.ones(300), (m, s), (v, s), step=1)


def scales_in_the_parameter(world: World) -> None:
    p = world.keep(np.ones(300, np.float32))
    ops.adam_(p, np.ones(300), (codes(), p[4:6]), np.zeros(300, np.float32), step=1)


THE_SCALES = "the scales of exp_avg: "
STATE8 = [
    Row("too many scales", pair(codes, lambda: scales(3)), ValueError,
        THE_SCALES, "shape (2,)", "shape (3,)", "one scale for every 256"),
    Row("too few scales", pair(codes, lambda: scales(1)), ValueError,
        THE_SCALES, "shape (2,)", "shape (1,)", "one scale for every 256"),
    Row("scales of two axes", pair(codes, lambda: np.zeros((2, 1), np.float32)), ValueError,
        THE_SCALES, "shape (2,)", "shape (2, 1)", "one scale for every 256"),
    Row("strided scales", pair(codes, lambda: scales(4)[::2]), ValueError,
        THE_SCALES, "a contiguous array", "shape (2,)", "one scale for every 256"),
    Row("scales in float64", pair(codes, lambda: scales(2, np.float64)), TypeError,
        THE_SCALES, "a float32 array", "float64", "np.zeros(n, np.float32)"),
    Row("scales in bfloat16", pair(codes, lambda: scales(2, BF16)), TypeError,
        THE_SCALES, "a float32 array", "bfloat16", "np.zeros(n, np.float32)"),
    Row("scales read-only", pair(codes, lambda: read_only(scales())), ValueError,
        THE_SCALES, "a writable array", "read-only", "copy"),
    Row("scales misaligned", pair(codes, lambda: misaligned((2,), "f4")), ValueError,
        THE_SCALES, "an aligned array", "misaligned", "copy()"),
    Row("scales byte-swapped", pair(codes, lambda: scales(2, swapped("f4"))), ValueError,
        THE_SCALES, "native byte order", swapped("f4"), "newbyteorder"),
    Row("scales None", pair(codes, lambda: None), TypeError,
        THE_SCALES, "a NumPy array", "None", "np.asarray"),
    Row("scales a list", pair(codes, lambda: [0.0, 0.0]), TypeError,
        THE_SCALES, "a NumPy array", "a list", "np.asarray"),
    Row("codes None", pair(lambda: None, scales), TypeError,
        "exp_avg: ", "a NumPy array", "None", "np.asarray"),
    Row("codes in int8", pair(lambda: codes(dtype=np.int8), scales), TypeError,
        "exp_avg: ", "uint8", "int8", "zeros_like"),
    Row("codes in float32", pair(lambda: codes(dtype=np.float32), scales), TypeError,
        "exp_avg: ", "uint8", "float32", "zeros_like"),
    Row("codes too short", pair(lambda: codes(299), scales), ValueError,
        "exp_avg: ", "shape (300,)", "(299,)", "zeros_like"),
    Row("codes strided", pair(lambda: codes(600)[::2], scales), ValueError,
        "exp_avg: ", "strides (4,), as its parameter", "(2,)", "zeros_like"),
    Row("codes without scales", as_slot(codes()), TypeError,
        "exp_avg: ", "float32 or bfloat16", "uint8", "zeros_like"),
    Row("codes alone in a tuple", as_slot((codes(),)), TypeError,
        "exp_avg: ", "a NumPy array", "a tuple", "np.asarray"),
    Row("three arrays", as_slot((codes(), scales(), scales())), TypeError,
        "exp_avg: ", "a NumPy array", "a tuple", "np.asarray"),
    Row("a pair in a list", as_slot([codes(), scales()]), TypeError,
        "exp_avg: ", "a NumPy array", "a list", "np.asarray"),
    Row("float16 state", as_slot(np.zeros(300, np.float16)), TypeError,
        "exp_avg: ", "float32 or bfloat16", "float16", "zeros_like"),
    Row("8-bit state of float64", pair(codes, scales, np.float64), TypeError,
        "exp_avg: ", "float64 state", "8-bit", "float32"),
    Row("scales shared by two slots", shared_scales, ValueError,
        "the scales of exp_avg and the scales of exp_avg_sq ", "share no memory",
        "the same array", "its own"),
    Row("scales in the parameter", scales_in_the_parameter, ValueError,
        "p and the scales of exp_avg ", "share no memory", "overlap in memory", "its own"),
]  # fmt: skip


@table(STATE8)
def test_8_bit_state_of_ops(row):
    fails(row)


# Norms and clipping. ----------------------------------------------------------------------------


def clipped(*arrays: Any, limit: Any = 1.0) -> Callable[[World], Any]:
    def call(world: World) -> None:
        tree = {str(i): world.keep(array) for i, array in enumerate(arrays)}
        oc.clip_grad_norm_({"a": tree}, limit)

    return call


NORMS = [
    Row("an int array", clipped(np.ones(2), np.ones(3, int)), TypeError,
        "grads/a/1: ", "a real float array", "int64", "astype"),
    Row("a complex array", clipped(np.ones(2), np.ones(3, complex)), TypeError,
        "grads/a/1: ", "a real float array", "complex128", "astype"),
    Row("byte-swapped", clipped(np.ones(2), np.ones(3, swapped("f8"))), ValueError,
        "grads/a/1: ", "native byte order", swapped("f8"), "newbyteorder"),
    Row("read-only", clipped(np.full(2, 9.0), read_only(np.ones(3))), ValueError,
        "grads/a/1: ", "writable", "read-only", "cop"),
    Row("a number", clipped(np.full(2, 9.0), 3), TypeError,
        "grads/a/1: ", "a float array", "3", "NumPy array"),
    Row("text", clipped("abc"), TypeError, "grads/a/0: ", "a float array", "'abc'", "NumPy array"),
    Row("a limit below 0", clipped(np.ones(2), limit=-1.0), ValueError,
        "max_norm: ", "0 or more", "-1.0", "1.0"),
    Row("a limit NaN", clipped(np.ones(2), limit=NAN), ValueError,
        "max_norm: ", "0 or more", "nan", "1.0"),
    Row("a limit of text", clipped(np.ones(2), limit="x"), TypeError,
        "max_norm: ", "a number", "'x'", "1.0"),
    Row("no limit", clipped(np.ones(2), limit=None), TypeError,
        "max_norm: ", "a number", "None", "1.0"),
    Row("norm of ints", lambda w: oc.global_norm([np.ones(2), [np.ones(2, int)]]), TypeError,
        "grads/1/0: ", "a real float array", "int64", "astype"),
]  # fmt: skip


@table(NORMS)
def test_norms(row):
    fails(row)


# Schedules out of range at some step. -----------------------------------------------------------

DROPS = SCHEDULES.Lambda(lambda k: 0.5 if k < 2 else -1.0)
SCHEDULED: list[tuple[str, str, dict[str, Any], type[Exception], str]] = [
    ("function", "SGD", {"lr": lambda k: 0.5 if k < 2 else -1.0}, ValueError,
     "Invalid learning rate: -1.0"),
    ("Lambda", "Adam", {"lr": DROPS}, ValueError, "Invalid learning rate: -1.0"),
    ("NaN", "SGD", {"lr": lambda k: 0.5 if k < 2 else NAN}, ValueError,
     "Invalid learning rate: nan"),
    ("native", "SGD", {"lr": SCHEDULES.Polynomial(1.0, total=2, end=-1.0).shift(0)}, ValueError,
     "Invalid learning rate: -1.0"),
    ("beta", "Adam", {"betas": (0.5, lambda k: 0.5 + k / 4)}, ValueError,
     "Invalid beta parameter at index 1: 1.0"),
    ("eps", "RMSprop", {"eps": DROPS}, ValueError, "Invalid epsilon value: -1.0"),
    ("momentum", "SGD", {"momentum": DROPS}, ValueError, "Invalid momentum value: -1.0"),
    ("decay", "AdamW", {"weight_decay": DROPS}, ValueError, "Invalid weight_decay value: -1.0"),
    ("text", "SGD", {"lr": lambda k: 0.5 if k < 2 else "fast"}, TypeError, "Lambda.f: "),
    ("none", "SGD", {"lr": lambda k: 0.5 if k < 2 else None}, TypeError, "Lambda.f: "),
]  # fmt: skip


@pytest.mark.parametrize("row", SCHEDULED, ids=[row[0] for row in SCHEDULED])
@pytest.mark.parametrize("bound", [False, True], ids=["step", "bound"])
def test_scheduled_values(row, bound):
    _, kind, options, error, words = row

    def call(world: World) -> None:
        p, g = np.ones(3), np.ones(3)
        opt = getattr(oc, kind)({"W": p}, **options)
        if bound:
            opt.bind({"W": g})
        for _ in range(2):
            opt.step() if bound else opt.step({"W": g})
        world.keep(p)
        before = repr([opt.step_count, opt._stepper.param_steps, opt.state])
        try:
            opt.step() if bound else opt.step({"W": g})
        finally:
            assert repr([opt.step_count, opt._stepper.param_steps, opt.state]) == before

    fails(Row("", call, error, words, "", "at step 2", ""))


def test_scheduled_values_of_groups():
    a, b = np.ones(2), np.ones(2)
    opt = oc.SGD([{"params": {"a": a}}, {"params": {"b": b}, "lr": lambda k: 0.5 - k}])
    opt.step([{"a": a * 2}, {"b": b * 2}])
    with pytest.raises(ValueError, match=r"groups\[1\].*Invalid learning rate: -0.5.*at step 1"):
        opt.step([{"a": a * 2}, {"b": b * 2}])
    assert opt.step_count == 1
    assert a.tolist() == [1 - 2e-3] * 2
    assert b.tolist() == [0.0, 0.0]


def test_a_function_that_raises():
    def lr(k: int) -> float:
        raise ZeroDivisionError("mine")

    p = np.ones(2)
    opt = oc.SGD(p, lr=lr)
    with pytest.raises(ZeroDivisionError, match="mine"):
        opt.step(np.ones(2))
    assert (opt.step_count, p.tolist()) == (0, [1.0, 1.0])


# State dicts. -----------------------------------------------------------------------------------


def at(saved: Any, path: str, value: Any) -> dict[str, Any]:
    """A copy of nested dicts and lists with one place changed; `Ellipsis` removes it."""
    head, _, rest = path.partition(".")
    if isinstance(saved, list):
        return [at(v, rest, value) if rest and str(i) == head else v for i, v in enumerate(saved)]
    copy = dict(saved)
    if rest:
        copy[head] = at(saved[head], rest, value)
    elif value is ...:
        del copy[head]
    else:
        copy[head] = value
    return copy


def load(path: str, value: Any) -> Callable[[World], Any]:
    """Loads a state dict, of other contents throughout, with one place changed."""

    def call(world: World) -> None:
        twin = oc.Adam(World().params, lr=0.5, amsgrad=True)
        twin.step(world.grads())
        world.opt.load_state_dict(at(twin.state_dict(), path, value))

    return call


def whole(value: Any) -> Callable[[World], Any]:
    return lambda world: world.opt.load_state_dict(value)


def from_another(kind: str, params: Any, **options: Any) -> Callable[[World], Any]:
    return lambda w: w.opt.load_state_dict(getattr(oc, kind)(params, **options).state_dict())


def bigger() -> dict[str, Any]:
    params = World().params
    params["W"] = np.ones((3, 5), np.float32)
    return params


SD = "state_dict"
STATE_DICTS = [
    Row("None", whole(None), TypeError, SD, "a dict that state_dict() gave", "None", ""),
    Row("a list", whole([]), TypeError, SD, "a dict that state_dict() gave", "a list", ""),
    Row("an empty dict", whole({}), KeyError, "state_dict/format ", "state_dict()", "missing", ""),
    *(
        Row(f"without {key}", load(key, ...), KeyError,
            f"state_dict/{key} ", "a dict that state_dict() gave", "is missing", "")
        for key in ("format", "rule", "groups", "step", "param_steps", "state")
    ),
    Row("a newer format", load("format", 2), ValueError,
        "state_dict/format: ", "1 to 1", "2", "newer optcore"),
    Row("format 0", load("format", 0), ValueError, "state_dict/format: ", "1", "0", ""),
    Row("format text", load("format", "1"), TypeError, "state_dict/format: ", "", "a str", ""),
    Row("format True", load("format", True), TypeError, "state_dict/format: ", "", "a bool", ""),
    Row("another rule", from_another("SGD", World().params), ValueError,
        "state_dict/rule: ", "'adam'", "'sgd'", "the same kind"),
    Row("without amsgrad", from_another("Adam", World().params), ValueError,
        "groups[0]: ", "stay as it was", "amsgrad", "new optimizer"),
    Row("another shape", from_another("Adam", bigger(), amsgrad=True), ValueError,
        "state_dict/state/W/exp_avg: ", "shape (3, 4)", "(3, 5)", "same shapes"),
    Row("fewer parameters", from_another("Adam", {"W": np.ones(2)}, amsgrad=True), ValueError,
        "state_dict/groups/0/paths: ", "'layers/0/b'", "['W']", "same parameters"),
    Row("groups None", load("groups", None), TypeError, "state_dict/groups: ", "", "NoneType", ""),
    Row("no groups", load("groups", []), ValueError,
        "loaded state dict has a different number of parameter groups", "1 group", "0", ""),
    Row("a group that is none", load("groups", [3]), TypeError,
        "state_dict/groups/0: ", "a dict", " int", ""),
    Row("paths None", load("groups.0.paths", None), TypeError,
        "state_dict/groups/0/paths: ", "", "None", ""),
    Row("paths renamed", load("groups.0.paths", ["W", "layers/0/b", "layers/1/b", "t"]), ValueError,
        "state_dict/groups/0/paths: ", "'s'", "'t'", "same parameters"),
    Row("a hyperparameter missing", load("groups.0.lr", ...), KeyError,
        "state_dict/groups/0: ", "exactly", "'lr'", ""),
    Row("a hyperparameter unknown", load("groups.0.rho", 0.5), KeyError,
        "state_dict/groups/0: ", "exactly", "'rho'", ""),
    Row("lr below 0", load("groups.0.lr", -1.0), ValueError,
        "", "0 or more", "Invalid learning rate: -1.0", ""),
    Row("lr text", load("groups.0.lr", "x"), TypeError,
        "state_dict/groups/0/lr", "a number", "'x'", ""),
    Row("betas a number", load("groups.0.betas", 0.9), TypeError,
        "state_dict/groups/0/betas", "two values", "0.9", ""),
    Row("an unknown schedule", load("groups.0.lr", {"schedule": "magic"}), ValueError,
        "state_dict/groups/0/lr", "one of", "'magic'", ""),
    Row("a function for a number", load("groups.0.lr", {"schedule": "lambda"}), ValueError,
        "state_dict", "a schedule in its place", "a Python function", "make it with one"),
    Row("step text", load("step", "3"), TypeError, "state_dict/step: ", "", "a str", ""),
    Row("step 3.0", load("step", 3.0), TypeError, "state_dict/step: ", "", "a float", ""),
    Row("step -1", load("step", -1), ValueError, "state_dict/step: ", "0 to 2**64", "-1", ""),
    Row("step 2**64", load("step", 2**64), ValueError,
        "state_dict/step: ", "0 to 2**64", str(2**64), ""),
    Row("steps missing", load("param_steps.s", ...), KeyError,
        "state_dict/param_steps: ", "exactly", "missing ['s']", "same parameters"),
    Row("steps unknown", load("param_steps.t", 1), KeyError,
        "state_dict/param_steps: ", "exactly", "unknown ['t']", "same parameters"),
    Row("steps text", load("param_steps.s", "1"), TypeError,
        "state_dict/param_steps/s: ", "an int", "'1'", "count from 0"),
    Row("steps -1", load("param_steps.s", -1), ValueError,
        "state_dict/param_steps/s: ", "0 to 2**64", "-1", ""),
    Row("steps a list", load("param_steps", [1, 1, 1, 1]), TypeError,
        "state_dict/param_steps: ", "", "a list", ""),
    Row("state missing", load("state.W", ...), KeyError,
        "state_dict/state: ", "exactly", "missing ['W']", "same parameters"),
    Row("state unknown", load("state.V", {}), KeyError,
        "state_dict/state: ", "exactly", "unknown ['V']", "same parameters"),
    Row("state a list", load("state.W", []), TypeError,
        "state_dict/state/W: ", "a dict", "a list", ""),
    Row("a slot missing", load("state.W.exp_avg_sq", ...), KeyError,
        "state_dict/state/W: ", "exactly", "missing ['exp_avg_sq']", ""),
    Row("a slot unknown", load("state.W.sum", np.ones(2)), KeyError,
        "state_dict/state/W: ", "exactly", "unknown ['sum']", ""),
    Row("a slot of another shape", load("state.W.exp_avg", np.ones((4, 3))), ValueError,
        "state_dict/state/W/exp_avg: ", "shape (3, 4)", "(4, 3)", "same shapes"),
    Row("a slot that would broadcast", load("state.W.exp_avg", np.ones(4)), ValueError,
        "state_dict/state/W/exp_avg: ", "shape (3, 4)", "(4,)", "same shapes"),
    Row("a slot of ints", load("state.W.exp_avg", np.ones((3, 4), int)), TypeError,
        "state_dict/state/W/exp_avg: ", "a float array", "int64", ""),
    Row("a slot of complex", load("state.W.exp_avg", np.ones((3, 4), complex)), TypeError,
        "state_dict/state/W/exp_avg: ", "a float array", "complex128", ""),
    Row("a slot of text", load("state.W.exp_avg", "abc"), TypeError,
        "state_dict/state/W/exp_avg: ", "a float array", "<U3", ""),
    Row("a slot None", load("state.W.exp_avg", None), TypeError,
        "state_dict/state/W/exp_avg: ", "a float array", "object", ""),
]  # fmt: skip


@table(STATE_DICTS)
def test_state_dicts(row):
    fails(row)


def load_8bit(change: str | None, value: Any, **options: Any) -> Callable[[World], Any]:
    """Loads a state dict of 8-bit state, with one place changed, into an optimizer like that or
    one of these options."""

    def over_ones() -> dict[str, np.ndarray]:
        return {"W": np.ones(300, BF16)}

    def call(world: World) -> None:
        common: dict[str, Any] = {"state_dtype": "8bit", "low_precision": "split"}
        twin = oc.Adam(over_ones(), lr=0.5, **common)
        twin.step({"W": np.linspace(-1, 1, 300)})
        params = {"W": world.keep(over_ones()["W"])}
        opt = oc.Adam(params, **{**common, **options})
        opt.step({"W": np.ones(300)})
        world.keep(params["W"])
        world.watch(opt)
        saved = twin.state_dict()
        opt.load_state_dict(saved if change is None else at(saved, change, value))

    return call


SD_STATE = "state_dict/state/W"
STATE_DICTS_8BIT = [
    *(
        Row(f"into state in {other}", load_8bit(None, None, state_dtype=other), ValueError,
            "groups[0]: ", "stay as it was", "state_dtype", "new optimizer")
        for other in (None, "float32", "bfloat16", {"exp_avg": "8bit"})
    ),
    Row("codes of int8", load_8bit("state.W.exp_avg", codes(dtype=np.int8)), TypeError,
        f"{SD_STATE}/exp_avg: ", "a uint8 array", "int8", ""),
    Row("codes of float32", load_8bit("state.W.exp_avg", np.zeros(300, np.float32)), TypeError,
        f"{SD_STATE}/exp_avg: ", "a uint8 array", "float32", ""),
    Row("codes of another shape", load_8bit("state.W.exp_avg", codes(299)), ValueError,
        f"{SD_STATE}/exp_avg: ", "shape (300,)", "(299,)", "same shapes"),
    Row("scales of integers", load_8bit("state.W.exp_avg_scale", np.zeros(2, int)), TypeError,
        f"{SD_STATE}/exp_avg_scale: ", "a float array", "int64", ""),
    Row("scales of another shape", load_8bit("state.W.exp_avg_scale", scales(3)), ValueError,
        f"{SD_STATE}/exp_avg_scale: ", "shape (2,)", "(3,)", "same shapes"),
    Row("scales missing", load_8bit("state.W.exp_avg_scale", ...), KeyError,
        f"{SD_STATE}: ", "exactly", "missing ['exp_avg_scale']", "same parameters"),
    Row("the other half of another dtype", load_8bit("state.W.remainder", codes()), TypeError,
        f"{SD_STATE}/remainder: ", "a int16 array", "uint8", ""),
    Row("the other half missing", load_8bit("state.W.remainder", ...), KeyError,
        f"{SD_STATE}: ", "exactly", "missing ['remainder']", "same parameters"),
    Row("the other half into none", load_8bit(None, None, low_precision=None), KeyError,
        f"{SD_STATE}: ", "exactly", "unknown ['remainder']", "same parameters"),
    Row("into a master", load_8bit(None, None, low_precision="master"), KeyError,
        f"{SD_STATE}: ", "exactly", "missing ['master'], unknown ['remainder']", ""),
    Row("an average into none", load_8bit("state.W.ema", np.ones(300, np.float32)), KeyError,
        f"{SD_STATE}: ", "exactly", "unknown ['ema']", "same parameters"),
    Row("no average", load_8bit(None, None, ema=oc.EMA(0.5)), KeyError,
        f"{SD_STATE}: ", "exactly", "missing ['ema']", "same parameters"),
    Row("a state_dtype unknown", load_8bit("groups.0.state_dtype", "4bit"), ValueError,
        "state_dict/groups/0/state_dtype: ", STATES, "'4bit'", "pick one"),
    Row("a state_dtype unknown for a slot", load_8bit("groups.0.state_dtype", {"exp_avg": 3}),
        ValueError, "state_dict/groups/0/state_dtype['exp_avg']: ", STATES, "3", "pick one"),
    Row("a state_dtype missing", load_8bit("groups.0.state_dtype", ...), KeyError,
        "state_dict/groups/0: ", "exactly", "'state_dtype'", ""),
    Row("a mapping for a number", load_8bit("groups.0.lr", {"no": "schedule"}), TypeError,
        "state_dict/groups/0/lr: ", "a number", "{'no': 'schedule'}", ""),
]  # fmt: skip


@table(STATE_DICTS_8BIT)
def test_state_dicts_of_stored_state(row):
    fails(row)


@pytest.mark.parametrize("state", ["warn", "raise"])
def test_state_beyond_the_range_of_float32(state):
    """Whatever NumPy does about an overflow, a state dict is loaded as a whole or not at all."""
    world = World()
    saved = at(world.opt.state_dict(copy=True), "state.W.exp_avg", np.full((3, 4), 7.0))
    saved = at(saved, "state.W.exp_avg_sq", np.full((3, 4), 1e300))
    with np.errstate(over=state):
        try:
            world.opt.load_state_dict(saved)
        except (ArithmeticError, RuntimeWarning, ValueError):
            world.check()
        else:
            assert np.all(np.isinf(world.opt.state["W"]["exp_avg_sq"]))
            assert np.all(world.opt.state["W"]["exp_avg"] == 7)


# ISA levels. ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["avx9000", "X86-64-V3", " baseline", "x86-64"])
def test_unknown_isa_level(name):
    words = f"^isa: unknown ISA level {name!r}; expected one of '.*'.*best"
    with pytest.raises(ValueError, match=words):
        _core.use_isa(name)
    assert oc.isa() in oc.available_isas()


def test_unknown_isa_level_in_the_environment():
    env = {**os.environ, "OPTCORE_ISA": "avx9000"}
    done = subprocess.run(
        [sys.executable, "-c", "import optcore"], env=env, capture_output=True, text=True
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert re.match(r"\w*Error: OPTCORE_ISA: unknown ISA level 'avx9000'; expected one of '", last)
    assert "unset" in last


# Two at a time. ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "second",
    [
        lambda opt, g: opt.step(g),
        lambda opt, g: opt.bind(g),
        lambda opt, g: setattr(opt, "lr", 0.25),
        lambda opt, g: setattr(opt, "clip_norm", 1.0),
        lambda opt, g: opt.load_state_dict(at(opt.state_dict(), "state..momentum_buffer", g * 9)),
    ],
    ids=["step", "bind", "lr", "clip_norm", "load_state_dict"],
)
def test_two_threads_on_one_optimizer(second):
    """The schedule of a step holds it up, so that the second thread surely comes in between."""
    errors: list[Exception] = []
    p, g = np.ones(3), np.ones(3)

    def intrude() -> None:
        try:
            second(opt, g)
        except Exception as error:
            errors.append(error)

    def lr(k: int) -> float:
        if k == 1 and not errors:
            thread = threading.Thread(target=intrude)
            thread.start()
            thread.join()
        return 0.5

    opt = oc.SGD(p, lr=lr, momentum=0.5)
    opt.step(g)
    before = repr((opt.groups, opt.clip_norm))
    opt.step(g)
    assert [type(e) for e in errors] == [RuntimeError]
    assert "in use" in str(errors[0])
    assert "lock" in str(errors[0])
    assert opt.step_count == 2
    assert p.tolist() == [1 - 0.5 - 0.75] * 3
    assert repr((opt.groups, opt.clip_norm)) == before


def test_many_threads_on_one_optimizer():
    """Every step is taken as a whole or refused as a whole."""
    p, g = np.zeros(100_000), np.ones(100_000)
    opt = oc.SGD(p, lr=1.0, threads=1)
    taken = itertools.count()
    odd: list[Exception] = []

    def work() -> None:
        for _ in range(50):
            try:
                opt.step(g)
                next(taken)
            except RuntimeError:
                pass
            except Exception as error:
                odd.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    steps = next(taken)
    assert not odd
    assert opt.step_count == steps
    assert np.all(p == -steps)
