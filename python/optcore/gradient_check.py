"""Whether gradients are those of the loss, by central differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _core
from ._columns import columns
from .optimizers.trees import named_leaves, rebuilt
from .rows import Rows
from .schedules.metric import as_metric
from .typing import Array, Tree

__all__ = ["ArrayCheck", "GradientCheck", "check_gradient"]

_COMMON = 1e-3  # how alike ratios have to be for a factor to be named
_SAMPLES = 100


@dataclass(frozen=True)
class ArrayCheck:
    """What was found for one parameter array.

    Attributes:
        path: the parameter's path.
        checked, wrong: how many elements were looked at, and how many of them are wrong.
        error: the largest error, relative to the larger of the two slopes.
        index: where that is.
        given, measured: the gradient and the slope there.
        hint: what may be wrong, if there is a pattern.
    """

    path: str
    checked: int
    wrong: int
    error: float
    index: tuple[int, ...]
    given: float
    measured: float
    hint: str


@dataclass(frozen=True)
class GradientCheck:
    """What `check_gradient` found; true if all is well, and a report when printed.

    Attributes:
        loss: the loss at the parameters.
        arrays: what was found for each parameter array.
    """

    loss: float
    arrays: Sequence[ArrayCheck]

    @property
    def ok(self) -> bool:
        """Whether no element is wrong."""
        return not any(each.wrong for each in self.arrays)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        heading = ("array", "checked", "wrong", "error", "worst at", "gradient", "slope", "")
        rows = [
            (
                each.path or "params",
                str(each.checked),
                str(each.wrong),
                f"{each.error:.1e}",
                str(list(each.index)),
                f"{each.given:.6g}",
                f"{each.measured:.6g}",
                each.hint,
            )
            for each in self.arrays
        ]
        word = "right" if self.ok else "WRONG"
        lines = columns([heading, *rows], left=(0, 4, 7), rule=1)
        return "\n".join([f"gradients are {word}; loss {self.loss:.6g}", "", *lines])

    __repr__ = __str__


def check_gradient(
    f: Callable[[Any], tuple[float, Tree]],
    params: Tree,
    *,
    rtol: float = 1e-4,
    samples: int | None = _SAMPLES,
    seed: int = 0,
) -> GradientCheck:
    """Holds the gradients of a function against its slopes, measured by central differences.

    .. code-block:: text

        slope = (f(θ + h·e) − f(θ − h·e))/2h          h = ∛ε · max(1, |θ|), element by element

    All is done on float64 copies, so f should compute in the type it is given; where it returns
    float32 gradients all the same, h and the tolerance are those of float32. An element is wrong if
    it differs from the slope by more than `rtol` of the larger of the two and what rounding the
    loss may cause. Where it seems wrong, a smaller h is tried too: there may be a kink nearby.

    Args:
        f: from parameters to the loss and the gradients, without randomness. Gradients may be
            `Rows`, and None stands for zeros.
        params: one array or any nesting of dict, list and tuple, of float32 or float64; they are
            left as they are.
        rtol: see above.
        samples: how many elements of each array are looked at, drawn at random; None for all.
        seed: of the drawing.

    Returns:
        What was found, array by array: true if all is well, a table when printed.

    Raises:
        TypeError: f returns no pair, the loss is no number, or a parameter or gradient is no array
            of floats.
        ValueError: a gradient has another shape than its parameter, the loss is not finite, or f is
            random; `rtol` or `samples` is out of range.
        KeyError: a gradient is missing or has no parameter.

    Example:
        >>> import numpy as np, optcore as oc
        >>> def f(p):
        ...     return float(np.sum(p["w"] ** 2)), {"w": p["w"]}        # the 2 is missing
        >>> found = oc.check_gradient(f, {"w": np.array([1.0, -3.0])})
        >>> found.ok, found.arrays[0].hint
        (False, 'all are 0.5 times the slope')
    """
    if not callable(f):
        raise TypeError(f"f: expected a function of the parameters, got {f!r:.80}")
    if not (isinstance(rtol, (int, float)) and 0 <= rtol < math.inf):
        raise ValueError(f"rtol: expected 0 or more, got {rtol!r}; pass e.g. 1e-4")
    if samples is not None and not (isinstance(samples, int) and samples >= 1):
        raise ValueError(f"samples: expected 1 or more, or None for all, got {samples!r}")
    tree = _core.Tree(params, "params")
    for leaf, path in zip(tree.leaves, tree.paths, strict=True):
        _check_leaf(leaf, f"params/{path}" if path else "params")
    leaves = [np.array(leaf, np.float64) for leaf in tree.leaves]
    copies = rebuilt(params, False, leaves)
    loss, grads = as_pair(f(copies), "f")
    if not math.isfinite(loss):
        raise ValueError(
            f"f: expected a finite loss at the parameters, got {loss}; it has no slopes there"
        )
    found = [
        _as_array(g, leaf, f"grads/{path}" if path else "grads")
        for g, leaf, path in zip(
            named_leaves(grads, copies, False, "grads"), leaves, tree.paths, strict=True
        )
    ]
    if as_pair(f(copies), "f")[0] != loss:
        raise ValueError(
            "f: expected the same loss for the same parameters, got two different ones; take "
            "randomness, such as dropout, out of it"
        )
    rng = np.random.default_rng(seed)
    single = any(g.dtype.itemsize < 8 for g in found)
    eps = float(np.finfo(np.float32 if single else np.float64).eps)
    measure = _Measure(lambda: as_pair(f(copies), "f")[0], loss, eps, max(rtol, 100 * eps))
    arrays = [
        measure.array(path, leaf, g.astype(np.float64), _drawn(leaf.size, samples, rng))
        for path, leaf, g in zip(tree.paths, leaves, found, strict=True)
    ]
    return GradientCheck(loss, arrays)


class _Measure:
    """Slopes of a loss by its parameters, which are moved in place and put back."""

    def __init__(self, loss: Callable[[], float], at: float, eps: float, rtol: float):
        self._loss, self._eps, self._rtol = loss, eps, rtol
        self._scale = abs(at)

    def array(self, path: str, leaf: Array, given: Array, chosen: Sequence[int]) -> ArrayCheck:
        """What there is to say of one array."""
        if not chosen:
            return ArrayCheck(path, 0, 0, 0.0, (), math.nan, math.nan, "")
        flat, said = leaf.reshape(-1), given.reshape(-1)
        slopes, errors, wrong = [], [], 0
        for i in chosen:
            slope, error, is_wrong = self._element(flat, i, float(said[i]))
            slopes.append(slope)
            errors.append(error)
            wrong += is_wrong
        worst = max(range(len(chosen)), key=lambda k: _rank(errors[k]))
        index = tuple(int(n) for n in np.unravel_index(chosen[worst], leaf.shape))
        values = [float(said[i]) for i in chosen]
        hint = _hint(values, slopes) if wrong else ""
        return ArrayCheck(
            path, len(chosen), wrong, errors[worst], index, values[worst], slopes[worst], hint
        )

    def _element(self, flat: Array, i: int, said: float) -> tuple[float, float, bool]:
        """Slope, relative error, and whether it is wrong, by the better of two distances."""
        h = self._eps ** (1 / 3) * max(1.0, abs(float(flat[i])))
        best = self._at(flat, i, said, h)
        if best[2]:
            closer = self._at(flat, i, said, h / 100)
            best = best if closer[2] else closer
        return best

    def _at(self, flat: Array, i: int, said: float, h: float) -> tuple[float, float, bool]:
        kept = flat[i]
        flat[i] = kept + h
        up, above = flat[i] - kept, self._loss()
        flat[i] = kept - h
        down, below = kept - flat[i], self._loss()
        flat[i] = kept
        slope = (above - below) / float(up + down)
        larger = max(abs(said), abs(slope))
        noise = 10 * self._eps * max(self._scale, abs(above), abs(below)) / h
        apart = abs(said - slope)
        wrong = not apart <= self._rtol * larger + noise  # also where one is NaN
        error = apart / larger if larger else 0.0
        return slope, error if wrong or larger > noise else 0.0, wrong


def _rank(error: float) -> float:
    return math.inf if math.isnan(error) else error


def _drawn(size: int, samples: int | None, rng: np.random.Generator) -> list[int]:
    if samples is None or size <= samples:
        return list(range(size))
    return sorted(rng.choice(size, samples, replace=False).tolist())


def _hint(given: list[float], slopes: list[float]) -> str:
    """A word on what may be wrong, where there is a pattern to see."""
    if not all(map(math.isfinite, (*given, *slopes))):
        return "not finite"
    if not any(given):
        return "all are zero"
    top = max(map(abs, slopes))
    ratios = [g / s for g, s in zip(given, slopes, strict=True) if abs(s) > 1e-3 * top]
    if not ratios or max(ratios) - min(ratios) > _COMMON * abs(ratios[0]):
        return ""
    ratio = float(f"{ratios[0]:.3g}")
    if ratio == 1:
        return ""
    return "all have the wrong sign" if ratio == -1 else f"all are {ratio:g} times the slope"


def _check_leaf(leaf: Any, name: str) -> None:
    is_float = isinstance(leaf, np.ndarray) and leaf.dtype in (np.float32, np.float64)
    if not is_float:
        got = f"{leaf.dtype} array" if isinstance(leaf, np.ndarray) else type(leaf).__name__
        raise TypeError(
            f"{name}: expected an array of float32 or float64, got a {got}; pass np.array(x, float)"
        )


def _as_array(given: Any, leaf: Array, name: str) -> Array:
    """A gradient as an array of its own, of its parameter's shape."""
    if given is None:
        return np.zeros(leaf.shape)
    if isinstance(given, Rows):
        dense = np.zeros(leaf.shape)
        np.add.at(dense, given.indices, given.values)
        return dense
    array = np.array(given)
    if not np.issubdtype(array.dtype, np.floating) and array.dtype.name != "bfloat16":
        raise TypeError(f"{name}: expected an array of floats, got one of {array.dtype}")
    if array.shape != leaf.shape:
        raise ValueError(
            f"{name}: expected the shape {leaf.shape} of its parameter, got {array.shape}"
            + ("; it looks transposed: return its .T" if array.T.shape == leaf.shape else "")
        )
    return array


def as_pair(given: Any, name: str) -> tuple[float, Any]:
    """The loss as a number, and the gradients, of what a function has returned.

    Raises:
        TypeError: it is something else; `name` is the function's.

    >>> as_pair((np.array(0.5), "gradients"), "f")
    (0.5, 'gradients')
    """
    if not isinstance(given, tuple) or len(given) != 2:
        raise TypeError(
            f"{name}: expected the loss and the gradients, got {given!r:.80}; return (loss, grads)"
        )
    loss, grads = given
    try:
        if not np.iscomplexobj(loss):
            return as_metric(loss), grads
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{name}: expected a loss that is one number, got {loss!r:.80}")
