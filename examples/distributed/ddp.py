"""DistributedDataParallel: each process has the model and a share of the batch.

    torchrun --nproc-per-node 2 examples/distributed/ddp.py

Gradients are averaged during the backward pass, and each process takes the same step on its own.
That is safe here even where CPUs differ: a step gives the same bits on all of them. As every
process has the whole gradient, `clip_norm=` is the norm of the model.
"""

from __future__ import annotations

from torch import nn
from torch.nn.parallel import DistributedDataParallel

import optcore.torch as ot
from common import accuracy, batches, network, processes


def main(steps: int = 60) -> None:
    """Trains, and prints the loss of the first process's share."""
    with processes() as (rank, world):
        model = DistributedDataParallel(network())
        optimizer = ot.AdamW(model.parameters(), lr=3e-3, clip_norm=1.0)
        for step, (X, y) in enumerate(batches(steps, rank, world), 1):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(X), y)
            loss.backward()
            optimizer.step()
            if rank == 0 and step % 20 == 0:
                print(
                    f"step {step}  loss {loss:.4f}  norm of the gradient {optimizer.grad_norm:.3f}"
                )
        if rank == 0:
            print(f"processes {world}  accuracy {accuracy(model.module):.3f}")


if __name__ == "__main__":
    main()
