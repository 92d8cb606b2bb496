"""The same AdamW step as others take it: each a function that steps a model once."""

from __future__ import annotations

import numpy as np

from optcore import _core

LR, BETA1, BETA2, EPS, DECAY = 1e-3, 0.9, 0.999, 1e-8, 1e-2


class PlainNumpy:
    """AdamW in plain NumPy, in place, as one writes it in a training loop."""

    def __init__(self, model):
        self.params, self.grads = model.params, model.grads
        self.m = [np.zeros_like(p) for p in self.params]
        self.v = [np.zeros_like(p) for p in self.params]
        self.t = 0

    def step(self):
        self.t += 1
        c1, c2 = 1 - BETA1**self.t, 1 - BETA2**self.t
        for p, g, m, v in zip(self.params, self.grads, self.m, self.v, strict=True):
            m *= BETA1
            m += (1 - BETA1) * g
            v *= BETA2
            v += (1 - BETA2) * (g * g)
            p *= 1 - LR * DECAY
            p -= LR / c1 * m / (np.sqrt(v / c2) + EPS)


class Torch:
    """torch.optim.AdamW on torch's own tensors; `mode` is fused, foreach or neither."""

    def __init__(self, model, mode, threads):
        import torch

        self.torch = torch
        torch.set_num_threads(threads)
        self.tensors = [torch.tensor(p, requires_grad=True) for p in model.params]
        for tensor, g in zip(self.tensors, model.grads, strict=True):
            tensor.grad = torch.tensor(g)
        flags = {"fused": mode == "fused", "foreach": mode == "foreach"}
        self.optimizer = torch.optim.AdamW(
            self.tensors, lr=LR, betas=(BETA1, BETA2), eps=EPS, weight_decay=DECAY, **flags
        )
        self.step = self.optimizer.step

    @property
    def params(self):
        return [t.detach().numpy() for t in self.tensors]


class Floor:
    """Streams what AdamW streams, over the buffers of an optcore optimizer."""

    def __init__(self, model, optimizer, threads):
        state = optimizer.state["0"]
        slots = [state["exp_avg"], state["exp_avg_sq"]]
        p, g = model.params[0], model.grads[0]
        self.step = lambda: _core.stream_floor(p, g, slots, threads)
