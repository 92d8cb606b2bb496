"""fully_shard (FSDP2) on CPUs: each process holds a part of every parameter, gradient and state.

    torchrun --nproc-per-node 2 examples/distributed/fsdp2.py [CHECKPOINTS]

For models larger than one machine's memory. With a folder's name it loads the newest checkpoint
there, if there is one, and writes one at the end; the number of processes may be another each time.

Parameters are cut along their first axis, so only rules of kind "elementwise" (`optcore.rules()`)
keep their meaning; the others refuse. Clip with torch's function, which knows all the parts.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.optim import Optimizer

import optcore.torch as ot
from common import accuracy, batches, network, processes


def main(steps: int = 60, checkpoint: Path | None = None) -> None:
    """Trains, from a checkpoint and to one if a folder is given."""
    with processes() as (rank, world):
        model = network()
        mesh = init_device_mesh("cpu", (world,))  # the default is the accelerator, if there is one
        for layer in model:
            if isinstance(layer, nn.Linear):
                fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)
        optimizer = ot.AdamW(model.parameters(), lr=3e-3)  # after the cut: it steps the parts
        before = newest(checkpoint) if checkpoint else None
        if before:
            load(model, optimizer, before)
            if rank == 0:
                print(f"resumed after {int(before.name)} steps")
        for step, (X, y) in enumerate(batches(steps, rank, world), 1):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(X), y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            if rank == 0 and step % 20 == 0:
                print(f"step {step}  loss {loss:.4f}")
        right = accuracy(model)  # every process: the layers are put together on the way
        if rank == 0:
            print(f"processes {world}  accuracy {right:.3f}")
        if checkpoint:
            taken = (int(before.name) if before else 0) + steps
            save(model, optimizer, checkpoint / f"{taken:08d}")


def newest(folder: Path) -> Path | None:
    """The last checkpoint in a folder that is whole: its metadata are written at the end."""
    return max((each.parent for each in folder.glob("*/.metadata")), default=None)


def save(model: nn.Module, optimizer: Optimizer, folder: Path) -> None:
    """Every process writes its own parts."""
    weights, state = get_state_dict(model, optimizer)
    dcp.save({"model": weights, "optimizer": state}, checkpoint_id=folder)


def load(model: nn.Module, optimizer: Optimizer, folder: Path) -> None:
    """Every process reads what falls to it, whoever has written it."""
    weights, state = get_state_dict(model, optimizer)  # says what is wanted, and where it goes
    dcp.load({"model": weights, "optimizer": state}, checkpoint_id=folder)
    set_state_dict(model, optimizer, model_state_dict=weights, optim_state_dict=state)


if __name__ == "__main__":
    main(checkpoint=Path(sys.argv[1]) if len(sys.argv) > 1 else None)
