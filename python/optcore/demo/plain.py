"""The optimizer steps as one writes them in NumPy with an eye on speed: what optcore is timed with.

Array by array, in place, into scratch memory that is made once, and with all scalars multiplied
together beforehand. That is faster than the formulas of the textbooks written out
(`p -= lr * (m / c1) / (np.sqrt(v / c2) + eps)`), which make a temporary array per operation, by 15
to 50 % on the networks of the demo. Averages are kept as `m += (1 - b) * (g - m)`, one operation
less than `m = b * m + (1 - b) * g`.

Options have the names and defaults of optcore's classes; there are only those that the demo uses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..typing import Array


class Plain:
    """What the steps share: the arrays, their state, scratch arrays, the step number."""

    slots = 0

    def __init__(self, params: Sequence[Array]):
        self.params = list(params)
        self.scratch = [np.empty_like(p) for p in params]
        self.more = [np.empty_like(p) for p in params]  # for rules that need two
        self.state = [[np.zeros_like(p) for p in params] for _ in range(self.slots)]
        self.t = 0

    def step(self, grads: Sequence[Array], lr: float) -> None:
        """Updates the parameters in place."""
        self.t += 1
        self._step(grads, lr)

    def _step(self, grads: Sequence[Array], lr: float) -> None:
        raise NotImplementedError


class SGD(Plain):
    """Gradient descent, plain, with momentum, or Nesterov's."""

    def __init__(self, params: Sequence[Array], momentum: float = 0.0, nesterov: bool = False):
        self.slots = 1 if momentum else 0
        super().__init__(params)
        self.momentum, self.nesterov = momentum, nesterov

    def _step(self, grads: Sequence[Array], lr: float) -> None:
        if not self.momentum:
            for p, g, s in zip(self.params, grads, self.scratch, strict=True):
                np.multiply(g, lr, out=s)
                p -= s
            return
        for p, g, s, b in zip(self.params, grads, self.scratch, *self.state, strict=True):
            b *= self.momentum
            b += g
            if self.nesterov:
                np.multiply(b, self.momentum, out=s)
                s += g
                s *= lr
            else:
                np.multiply(b, lr, out=s)
            p -= s


class Momentum(Plain):
    """Momentum with the rate in the buffer, or as an average."""

    slots = 1

    def __init__(self, params: Sequence[Array], momentum: float = 0.9, form: str = "velocity"):
        super().__init__(params)
        self.momentum, self.form = momentum, form

    def _step(self, grads: Sequence[Array], lr: float) -> None:
        for p, g, s, v in zip(self.params, grads, self.scratch, *self.state, strict=True):
            if self.form == "velocity":
                v *= self.momentum
                np.multiply(g, lr, out=s)
                v -= s
                p += v
            else:
                _average(v, g, self.momentum, s)
                np.multiply(v, lr, out=s)
                p -= s


class Adagrad(Plain):
    """Rates from the sum of squares."""

    slots = 1

    def __init__(self, params: Sequence[Array], eps: float = 1e-10):
        super().__init__(params)
        self.eps = eps

    def _step(self, grads: Sequence[Array], lr: float) -> None:
        for p, g, s, total in zip(self.params, grads, self.scratch, *self.state, strict=True):
            np.multiply(g, g, out=s)
            total += s
            np.sqrt(total, out=s)
            s += self.eps
            np.divide(g, s, out=s)
            s *= lr
            p -= s


class RMSprop(Plain):
    """Rates from a running mean of squares."""

    slots = 1

    def __init__(self, params: Sequence[Array], alpha: float = 0.99, eps: float = 1e-8):
        super().__init__(params)
        self.alpha, self.eps = alpha, eps

    def _step(self, grads: Sequence[Array], lr: float) -> None:
        for p, g, s, v in zip(self.params, grads, self.scratch, *self.state, strict=True):
            _average_square(v, g, self.alpha, s)
            np.sqrt(v, out=s)
            s += self.eps
            np.divide(g, s, out=s)
            s *= lr
            p -= s


class Adadelta(Plain):
    """Steps in units of earlier steps."""

    slots = 2

    def __init__(self, params: Sequence[Array], rho: float = 0.9, eps: float = 1e-6):
        super().__init__(params)
        self.rho, self.eps = rho, eps

    def _step(self, grads: Sequence[Array], lr: float) -> None:
        lists = (self.params, grads, self.scratch, self.more, *self.state)
        for p, g, s, u, v, d in zip(*lists, strict=True):
            _average_square(v, g, self.rho, s)
            np.add(d, self.eps, out=u)
            np.add(v, self.eps, out=s)
            u /= s
            np.sqrt(u, out=u)
            u *= g
            _average_square(d, u, self.rho, s)
            u *= lr
            p -= u


class Adam(Plain):
    """Adam, AMSGrad, and with a (decoupled) decay AdamW."""

    def __init__(
        self,
        params: Sequence[Array],
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ):
        self.slots = 3 if amsgrad else 2
        super().__init__(params)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay

    def _step(self, grads: Sequence[Array], lr: float) -> None:
        beta1, beta2 = self.betas
        root = math.sqrt(1 - beta2**self.t)
        rate, eps = lr * root / (1 - beta1**self.t), self.eps * root
        keep = 1 - lr * self.weight_decay
        for p, g, s, m, v, *top in zip(self.params, grads, self.scratch, *self.state, strict=True):
            _average(m, g, beta1, s)
            _average_square(v, g, beta2, s)
            if top:
                v = np.maximum(top[0], v, out=top[0])
            np.sqrt(v, out=s)
            s += eps
            np.divide(m, s, out=s)
            s *= rate
            if keep != 1:
                p *= keep
            p -= s


class AdamW(Adam):
    """Adam with decay, by default."""

    def __init__(
        self,
        params: Sequence[Array],
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ):
        super().__init__(params, betas, eps, weight_decay)


class NAdam(Plain):
    """Adam with Nesterov's momentum and its schedule."""

    slots = 2

    def __init__(
        self,
        params: Sequence[Array],
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        momentum_decay: float = 4e-3,
    ):
        super().__init__(params)
        self.betas, self.eps, self.decay, self.product = betas, eps, momentum_decay, 1.0

    def _step(self, grads: Sequence[Array], lr: float) -> None:
        beta1, beta2 = self.betas
        mu = beta1 * (1 - 0.5 * 0.96 ** (self.t * self.decay))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((self.t + 1) * self.decay))
        self.product *= mu
        root = math.sqrt(1 - beta2**self.t)
        take_m = lr * root * mu_next / (1 - self.product * mu_next)
        take_g = lr * root * (1 - mu) / (1 - self.product)
        eps, ratio = self.eps * root, take_g / take_m
        lists = (self.params, grads, self.scratch, self.more, *self.state)
        for p, g, s, u, m, v in zip(*lists, strict=True):
            _average(m, g, beta1, s)
            _average_square(v, g, beta2, s)
            np.sqrt(v, out=s)
            s += eps
            np.multiply(g, ratio, out=u)
            u += m
            u /= s
            u *= take_m
            p -= u


class Adafactor(Plain):
    """Adafactor as torch has it."""

    def __init__(
        self,
        params: Sequence[Array],
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
    ):
        super().__init__(params)
        self.beta2_decay, self.d, self.eps2 = beta2_decay, d, eps[1]
        self.eps1 = [float(np.finfo(p.dtype).eps) if eps[0] is None else eps[0] for p in params]
        self.rows = [np.zeros((*p.shape[:-1], 1), p.dtype) for p in params]
        self.cols = [np.zeros((*p.shape[:-2], 1, *p.shape[-1:]), p.dtype) for p in params]
        self.variance = [np.zeros_like(p) for p in params]
        # A product with ones is a faster sum than `sum`.
        self.row_ones = [np.ones(p.shape[-1:], p.dtype) for p in params]
        self.col_ones = [np.ones(p.shape[-2:-1], p.dtype) for p in params]

    def _step(self, grads: Sequence[Array], lr: float) -> None:
        beta2 = 1 - self.t**self.beta2_decay
        rho = min(lr, 1 / math.sqrt(self.t))
        for i, (p, g, s) in enumerate(zip(self.params, grads, self.scratch, strict=True)):
            if p.ndim < 2:
                _average_square(self.variance[i], g, beta2, s)
                np.maximum(self.variance[i], self.eps1[i] ** 2, out=s)
            else:
                row, col = self.rows[i], self.cols[i]
                np.multiply(g, g, out=s)
                row *= beta2
                row += (s @ self.row_ones[i])[..., None] * ((1 - beta2) / p.shape[-1])
                col *= beta2
                col += (self.col_ones[i] @ s)[..., None, :] * ((1 - beta2) / p.shape[-2])
                mean = row.sum(axis=-2, keepdims=True) / p.shape[-2]
                np.multiply(row / np.maximum(mean, self.eps1[i]), col, out=s)
                np.maximum(s, self.eps1[i] ** 2, out=s)
            np.sqrt(s, out=s)
            np.divide(g, s, out=s)
            alpha = rho * max(self.eps2, math.sqrt(np.vdot(p, p) / p.size))
            s *= alpha / max(1.0, math.sqrt(np.vdot(s, s) / s.size) / self.d)
            p -= s


def _average(m: Array, g: Array, beta: float, s: Array) -> None:
    """m ← m + (1-β)(g - m)."""
    np.subtract(g, m, out=s)
    s *= 1 - beta
    m += s


def _average_square(v: Array, g: Array, beta: float, s: Array) -> None:
    """v ← v + (1-β)(g² - v)."""
    np.multiply(g, g, out=s)
    s -= v
    s *= 1 - beta
    v += s
