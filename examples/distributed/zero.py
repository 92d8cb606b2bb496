"""ZeroRedundancyOptimizer: data parallel, and each process keeps the state of some parameters only.

    torchrun --nproc-per-node 2 examples/distributed/zero.py

AdamW's state is twice the size of the model; here each process holds its share of it, steps its
share of the parameters, and sends them to the others. Parameters stay whole, so rules that look at
whole tensors, such as Muon and LAMB, mean the same as in one process. Options that look at all of
them do not: each process would see its own share. So clip with torch's function instead of
`clip_norm=`, and leave rules of kind "global" (`optcore.rules()`) to one process.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import nn
from torch.distributed.optim import ZeroRedundancyOptimizer
from torch.nn.parallel import DistributedDataParallel

import optcore.torch as ot
from common import accuracy, batches, network, processes


def main(steps: int = 60, checkpoint: Path | None = None) -> None:
    """Trains; with a file's name, collects the state in the first process and writes it there."""
    with processes() as (rank, world):
        model = DistributedDataParallel(network())
        optimizer = ZeroRedundancyOptimizer(
            model.parameters(),
            optimizer_class=ot.AdamW,
            parameters_as_bucket_view=True,
            lr=3e-3,
        )
        for step, (X, y) in enumerate(batches(steps, rank, world), 1):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(X), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            if rank == 0 and step % 20 == 0:
                print(f"step {step}  loss {loss:.4f}")
        if rank == 0:
            print(f"processes {world}  accuracy {accuracy(model.module):.3f}")
        if checkpoint:
            optimizer.consolidate_state_dict(to=0)
            if rank == 0:  # an ordinary state dict: ot.AdamW in one process loads it
                saved = {"model": model.module.state_dict(), "optimizer": optimizer.state_dict()}
                torch.save(saved, checkpoint)


if __name__ == "__main__":
    main(checkpoint=Path(sys.argv[1]) if len(sys.argv) > 1 else None)
