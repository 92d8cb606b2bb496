"""Functions whose shape is known: a quadratic, and three classics of the plane."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from ..typing import Array
from .base import Problem
from .rates import suitable

Bounds = tuple[tuple[float, float], tuple[float, float]]


class Quadratic(Problem):
    """A bowl whose widest direction is `condition` times as flat as its steepest.

    .. code-block:: text

        f(x) = ½ xᵀAx          A's eigenvalues: from 1 down to 1/condition, in equal ratios

    Gradient descent converges for rates below 2, the fastest with 2/(1 + 1/condition), and then
    needs about condition/4 steps for each halving of the error or so. The start is at a distance of
    √dimension, in a direction of the seed.

    Args:
        condition: 1 or more.
        dimension: how many numbers.
        rotated: turn the axes, so that no rule profits from going coordinate by coordinate.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> bowl = Quadratic(condition=10)
        >>> bowl.loss(np.array([1.0, 1.0]))
        0.55
    """

    name = "quadratic"
    epochs = 200
    target = 1e-6
    rates: Mapping[str, float] = suitable(sgd=1.0, momentum=0.5, adam=0.1)

    def __init__(self, condition: float = 100.0, dimension: int = 2, rotated: bool = False):
        if not (isinstance(condition, (int, float)) and 1 <= condition < math.inf):
            raise ValueError(f"condition: expected 1 or more, got {condition!r}; pass e.g. 100")
        if isinstance(dimension, bool) or not isinstance(dimension, int) or dimension < 1:
            raise ValueError(f"dimension: expected 1 or more, got {dimension!r}; pass e.g. 2")
        self.condition, self.dimension = float(condition), dimension
        eigenvalues = np.geomspace(1.0, 1 / condition, dimension)
        axes = np.eye(dimension)
        if rotated:
            axes = np.linalg.qr(np.random.default_rng(0).standard_normal(axes.shape))[0]
        self.matrix = (axes * eigenvalues) @ axes.T
        self.minima = np.zeros((1, dimension))

    @property
    def bounds(self) -> Bounds:
        """A part of the plane worth drawing: that of the first two numbers."""
        return ((-1.6, 1.6), (-1.6, 1.6))

    def initial(self, seed: int) -> Array:
        """A point at a distance of √dimension; all ones for seed 0."""
        if seed == 0:
            return np.ones(self.dimension)
        x = np.random.default_rng(seed).standard_normal(self.dimension)
        return np.asarray(x * (math.sqrt(self.dimension) / np.linalg.norm(x)))

    def value(self, points: Array) -> Array:
        """f at points, which are the last axis."""
        return np.asarray(0.5 * np.einsum("...i,ij,...j", points, self.matrix, points))

    def loss(self, params: Array) -> float:
        """f at a point."""
        return 0.5 * float(params @ self.matrix @ params)

    def loss_and_grads(self, params: Array, batch: object) -> tuple[float, Array]:
        """f and Ax at a point."""
        slope = self.matrix @ params
        return 0.5 * float(params @ slope), slope

    def described(self) -> str:
        """The problem in a line."""
        return f"{self.name}: {self.dimension} numbers, condition {self.condition:g}"


class Plane(Problem):
    """A function of two numbers, with a classic place to start from.

    Attributes:
        start: where seed 0 starts; other seeds start around it.
        minima: where it is least.
        bounds: the part of the plane that is worth drawing, by axis.
    """

    start: ClassVar[tuple[float, float]]
    minima: Array
    bounds: Bounds
    epochs = 500
    target = 1e-4

    def value(self, points: Array) -> Array:
        """f at points, which are the last axis."""
        return np.asarray(self._value(points[..., 0], points[..., 1]))

    def initial(self, seed: int) -> Array:
        """The classic start, or a place not far from it."""
        x = np.array(self.start)
        if seed:
            x += np.random.default_rng(seed).normal(0, 0.3, 2)
        return x

    def loss(self, params: Array) -> float:
        """f at a point."""
        return _quiet(self._value, *params.tolist())

    def loss_and_grads(self, params: Array, batch: object) -> tuple[float, Array]:
        """f and its slope at a point."""
        x, y = params.tolist()
        try:
            return float(self._value(x, y)), np.array(self._slope(x, y))
        except OverflowError:
            return math.inf, np.full(2, math.inf)

    def _value(self, x: Array | float, y: Array | float) -> Array | float:
        raise NotImplementedError

    def _slope(self, x: float, y: float) -> tuple[float, float]:
        raise NotImplementedError


def _quiet(f: object, x: float, y: float) -> float:
    """f(x, y); infinity where Python's numbers end."""
    assert callable(f)
    try:
        return float(f(x, y))
    except OverflowError:
        return math.inf


class Rosenbrock(Plane):
    """Rosenbrock's curved valley (1960): easy to find, hard to follow.

    .. code-block:: text

        f(x, y) = (1 − x)² + 100(y − x²)²          least at (1, 1)

    >>> problem = Rosenbrock()
    >>> problem.loss(problem.initial(0)), problem.loss(np.array([1.0, 1.0]))
    (24.199999999999996, 0.0)
    """

    name = "rosenbrock"
    start = (-1.2, 1.0)
    minima = np.array([[1.0, 1.0]])
    bounds = ((-2.0, 2.0), (-1.0, 3.0))
    epochs = 1000
    rates: Mapping[str, float] = suitable(sgd=1e-3, momentum=3e-4, adam=0.05)

    def _value(self, x: Array | float, y: Array | float) -> Array | float:
        return (1 - x) ** 2 + 100 * (y - x * x) ** 2

    def _slope(self, x: float, y: float) -> tuple[float, float]:
        off = y - x * x
        return 2 * (x - 1) - 400 * x * off, 200 * off


class Beale(Plane):
    """Beale's function (1958): flat around the minimum, steep at the corners.

    .. code-block:: text

        f(x, y) = (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²      least at (3, 0.5)

    >>> Beale().loss(np.array([3.0, 0.5]))
    0.0
    """

    name = "beale"
    start = (1.0, 1.5)
    minima = np.array([[3.0, 0.5]])
    bounds = ((-1.0, 4.5), (-2.0, 2.0))
    rates: Mapping[str, float] = suitable(sgd=0.01, momentum=2e-3, adam=0.05)

    def _value(self, x: Array | float, y: Array | float) -> Array | float:
        return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2

    def _slope(self, x: float, y: float) -> tuple[float, float]:
        terms = [(c - x + x * y**n, n) for n, c in ((1, 1.5), (2, 2.25), (3, 2.625))]
        by_x = sum(2 * term * (y**n - 1) for term, n in terms)
        by_y = sum(2 * term * n * x * y ** (n - 1) for term, n in terms)
        return by_x, by_y


class Himmelblau(Plane):
    """Himmelblau's function (1972): four minima, all of them 0.

    .. code-block:: text

        f(x, y) = (x² + y − 11)² + (x + y² − 7)²

    >>> problem = Himmelblau()
    >>> [round(problem.loss(point), 6) for point in problem.minima]
    [0.0, 0.0, 0.0, 0.0]
    """

    name = "himmelblau"
    start = (0.0, 0.0)
    minima = np.array(
        [[3.0, 2.0], [-2.8051181, 3.1313125], [-3.7793103, -3.2831860], [3.5844283, -1.8481265]]
    )
    bounds = ((-5.0, 5.0), (-5.0, 5.0))
    epochs = 300
    rates: Mapping[str, float] = suitable(sgd=0.01, momentum=2e-3, adam=0.1)

    def _value(self, x: Array | float, y: Array | float) -> Array | float:
        return (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2

    def _slope(self, x: float, y: float) -> tuple[float, float]:
        u, v = x * x + y - 11, x + y * y - 7
        return 4 * x * u + 2 * v, 2 * u + 4 * y * v
