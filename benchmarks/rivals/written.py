"""Steps as one writes them in a NumPy training loop: the formula, in place where it is easy.

Averages are `m *= b` and `m += (1 - b) * g`; what else is needed becomes temporary arrays.
"""

from __future__ import annotations

import math

import numpy as np

from optcore.demo.plain import Plain


class SGD(Plain):
    def _step(self, grads, lr):
        for p, g in zip(self.params, grads, strict=True):
            p -= lr * g


class Momentum(Plain):
    slots = 1

    def _step(self, grads, lr):
        for p, g, v in zip(self.params, grads, *self.state, strict=True):
            v *= 0.9
            v -= lr * g
            p += v


class Adagrad(Plain):
    slots = 1

    def _step(self, grads, lr):
        for p, g, total in zip(self.params, grads, *self.state, strict=True):
            total += g * g
            p -= lr * g / (np.sqrt(total) + 1e-10)


class Adadelta(Plain):
    slots = 2

    def _step(self, grads, lr):
        for p, g, v, d in zip(self.params, grads, *self.state, strict=True):
            v *= 0.9
            v += 0.1 * (g * g)
            step = np.sqrt((d + 1e-6) / (v + 1e-6)) * g
            d *= 0.9
            d += 0.1 * (step * step)
            p -= lr * step


class RMSprop(Plain):
    slots = 1

    def _step(self, grads, lr):
        for p, g, v in zip(self.params, grads, *self.state, strict=True):
            v *= 0.99
            v += 0.01 * (g * g)
            p -= lr * g / (np.sqrt(v) + 1e-8)


class Adam(Plain):
    slots = 2
    decay = 0.0

    def _step(self, grads, lr):
        c1, c2 = 1 - 0.9**self.t, 1 - 0.999**self.t
        for p, g, m, v in zip(self.params, grads, *self.state, strict=True):
            m *= 0.9
            m += 0.1 * g
            v *= 0.999
            v += 0.001 * (g * g)
            if self.decay:
                p *= 1 - lr * self.decay
            p -= lr / c1 * m / (np.sqrt(v) / math.sqrt(c2) + 1e-8)


class AdamW(Adam):
    decay = 0.01


class NAdam(Plain):
    slots = 2
    product = 1.0

    def _step(self, grads, lr):
        mu, after = (0.9 * (1 - 0.5 * 0.96 ** (t * 0.004)) for t in (self.t, self.t + 1))
        self.product *= mu
        root = math.sqrt(1 - 0.999**self.t)
        for p, g, m, v in zip(self.params, grads, *self.state, strict=True):
            m *= 0.9
            m += 0.1 * g
            v *= 0.999
            v += 0.001 * (g * g)
            below = np.sqrt(v) / root + 1e-8
            p -= lr * (1 - mu) / (1 - self.product) * g / below
            p -= lr * after / (1 - self.product * after) * m / below
