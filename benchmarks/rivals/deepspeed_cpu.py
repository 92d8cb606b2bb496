"""DeepSpeed's CPUAdam, which compiles its C++ when it is first used, for about a minute."""

from __future__ import annotations

import torch
from arrays import Array, Model
from workload import BETAS, DECAY, EPS, LR, Workload

from rivals import AbsentError
from rivals.torch_optim import tensor


class DeepSpeed:
    """On torch's tensors, with torch's threads."""

    def __init__(self, workload: Workload):
        try:
            from deepspeed.ops.adam import DeepSpeedCPUAdam

            torch.set_num_threads(workload.threads)
            model = Model(workload)
            self.tensors = [torch.nn.Parameter(tensor(p)) for p in model.params]
            for parameter, g in zip(self.tensors, model.grads, strict=True):
                parameter.grad = tensor(g)
            self.optimizer = DeepSpeedCPUAdam(
                self.tensors, lr=LR, betas=BETAS, eps=EPS, weight_decay=DECAY, adamw_mode=True
            )
        except (ImportError, RuntimeError, OSError) as error:  # no compiler, no ninja, ...
            reason = str(error).strip().splitlines()[0]
            raise AbsentError(f"its C++ could not be built: {reason}") from error
        self.step = self.optimizer.step

    @property
    def result(self) -> list[Array]:
        """Views."""
        return [t.detach().numpy() for t in self.tensors]
