"""torch.optim.AdamW on torch's own tensors, in all its implementations."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from arrays import Array, Model
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from workload import BETAS, DECAY, EPS, LR, Workload


class TorchOptim:
    """Clipping and averaging are torch's own as well, before and after the step."""

    flags: ClassVar[dict[str, bool]]

    def __init__(self, workload: Workload):
        torch.set_num_threads(workload.threads)
        model = Model(workload)
        self.tensors = [torch.nn.Parameter(tensor(p)) for p in model.params]
        for parameter, g in zip(self.tensors, model.grads, strict=True):
            parameter.grad = tensor(g)
        self.optimizer = torch.optim.AdamW(
            self.tensors, lr=LR, betas=BETAS, eps=EPS, weight_decay=DECAY, **self.flags
        )
        self.clip, self.average = workload.clip, None
        if workload.ema is not None:
            self.module = torch.nn.ParameterList(self.tensors)
            average = get_ema_multi_avg_fn(workload.ema)
            self.average = AveragedModel(self.module, multi_avg_fn=average)
        self.step = self.optimizer.step if workload.bare else self.step_and_more

    def step_and_more(self) -> None:
        """The step with what goes around it."""
        if self.clip is not None:
            clip_grad_norm_(self.tensors, self.clip)
        self.optimizer.step()
        if self.average:
            self.average.update_parameters(self.module)

    @property
    def result(self) -> list[Array]:
        """In float32."""
        averages = self.average.parameters() if self.average else []
        return [t.detach().float().numpy() for t in (*self.tensors, *averages)]


class Fused(TorchOptim):
    """One kernel per tensor."""

    flags: ClassVar = {"fused": True}


class Foreach(TorchOptim):
    """One operation on all tensors after the other."""

    flags: ClassVar = {"foreach": True}


class ForLoop(TorchOptim):
    """Tensor by tensor, operation by operation: the default on a CPU."""

    flags: ClassVar = {"foreach": False}


class Compiled(Foreach):
    """The foreach step, compiled by Inductor."""

    def __init__(self, workload: Workload):
        super().__init__(workload)
        torch.compiler.reset()  # what it has compiled before is for other shapes
        self.step = torch.compile(self.optimizer.step)


def tensor(array: Array) -> torch.Tensor:
    """A tensor with the same numbers, in memory that torch allocates."""
    if array.dtype.itemsize == 2:  # torch does not know ml_dtypes
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16).clone()
    return torch.from_numpy(array).clone()
