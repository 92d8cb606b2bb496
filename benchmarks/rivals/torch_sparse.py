"""torch's sparse optimizers on an embedding table, with gradients as torch's own layers make them.

The COO tensors are made before the clock starts; torch coalesces them in the step.
"""

from __future__ import annotations

from itertools import cycle

import torch
from arrays import Array
from workload import LR


class TorchSparse:
    """SparseAdam, or Adagrad, which takes sparse gradients as well."""

    def __init__(
        self,
        rule: str,
        table: Array,
        batches: list[tuple[Array, Array]],
        eps: float,
        threads: int,
    ):
        torch.set_num_threads(threads)
        self.table = torch.nn.Parameter(torch.from_numpy(table))
        kinds = {"Adam": torch.optim.SparseAdam, "Adagrad": torch.optim.Adagrad}
        self.optimizer = kinds[rule]([self.table], lr=LR, eps=eps)
        self.grads = cycle(
            torch.sparse_coo_tensor(
                torch.from_numpy(indices)[None],
                torch.from_numpy(values),
                table.shape,
                check_invariants=False,
            )
            for indices, values in batches
        )

    def step(self) -> None:
        self.table.grad = next(self.grads)
        self.optimizer.step()
