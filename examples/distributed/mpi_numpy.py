"""NumPy loops over several processes with MPI: each one steps its share of one flat array.

    mpirun -n 2 python examples/distributed/mpi_numpy.py [CHECKPOINT.npz]

This is the first stage of ZeRO (Rajbhandari et al., 2020) in three calls: the gradients are summed
and shared out (reduce-scatter), each process steps its share of the parameters with its share of
the state, and the new parameters are collected (all-gather). An elementwise rule steps a share as
it would step the whole, to the bit. With a file's name, training goes on from there, with any
number of processes.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import optcore as oc
from optcore.demo import network

SIZES = (20, 64, 4)
SIZE = sum(n * m + m for n, m in pairwise(SIZES))
MAX_NORM = 1.0


def data(n: int = 2048) -> tuple[Any, Any]:
    """Clouds of points around the corners of a simplex, one for each class."""
    rng = np.random.default_rng(1)
    y = np.arange(n) % SIZES[-1]
    X = rng.standard_normal((n, SIZES[0])) + 2 * np.eye(SIZES[-1], SIZES[0])[y]
    return X.astype(np.float32), y


def batches(steps: int, rank: int, world: int, batch: int = 120) -> Iterator[tuple[Any, Any]]:
    """This process's share of each mini-batch; shares are equal, so their mean is the batch's."""
    X, y = data()
    rng = np.random.default_rng(2)
    for _ in range(steps):
        chosen = rng.integers(len(X), size=batch)[rank::world]
        yield X[chosen], y[chosen]


def padded(world: int) -> Any:
    """A flat array with room for the network, in equal shares. What is over stays zero."""
    return np.zeros(-(-SIZE // world) * world, np.float32)


def windows(flat: Any) -> network.Params:
    """A network that lies in a flat array."""
    net = network.initial(SIZES, seed=0)
    end = 0
    for layer in net["layers"]:
        for name, array in layer.items():
            layer[name] = flat[end : end + array.size].reshape(array.shape)
            end += array.size
    return net


def put(net: network.Params, flat: Any) -> None:
    """Writes a network, or its gradients, into a flat array."""
    flat[:SIZE] = np.concatenate([array.ravel() for array in network.arrays(net)])


def scale(norms: list[float], world: int) -> float:
    """What the sum of the gradients is divided by: their mean is clipped to MAX_NORM.

    `norms` are those of the shares. fsum gives the same bits in every process.
    """
    norm = math.sqrt(math.fsum(norm * norm for norm in norms)) / world
    return world * max(1.0, norm / MAX_NORM)


def save(comm: Any, optimizer: oc.Optimizer, params: Any, file: Path) -> None:
    """Collects the state, and writes it with the parameters from the first process."""
    state = {}
    for name, share in optimizer.state[""].items():
        state[name] = np.empty_like(params)
        comm.Allgather(share, state[name])
    if comm.rank == 0:
        whole = {name: array[:SIZE] for name, array in state.items()}
        np.savez(file, params=params[:SIZE], step=optimizer.step_count, **whole)
    comm.Barrier()


def load(optimizer: oc.Optimizer, params: Any, mine: slice, file: Path) -> None:
    """Takes over the parameters, and this process's share of the state."""
    with np.load(file, allow_pickle=False) as saved:
        params[:SIZE] = saved["params"]
        state = optimizer.state_dict()
        state["step"] = state["param_steps"][""] = int(saved["step"])
        for name in state["state"][""]:
            whole = np.zeros_like(params)
            whole[:SIZE] = saved[name]
            state["state"][""][name] = whole[mine]
    optimizer.load_state_dict(state)


def train(comm: Any, steps: int = 60, file: Path | None = None) -> Any:
    """Trains, and returns the parameters in one flat array."""
    params, grads = padded(comm.size), padded(comm.size)
    put(network.initial(SIZES, seed=0), params)
    net = windows(params)
    share = len(params) // comm.size
    mine = slice(comm.rank * share, (comm.rank + 1) * share)
    my_grads = np.empty(share, np.float32)
    optimizer = oc.AdamW(params[mine], lr=3e-3)
    if file and file.exists():
        load(optimizer, params, mine, file)

    for step, (X, y) in enumerate(batches(steps, comm.rank, comm.size), 1):
        loss, tree = network.loss_and_grads(net, X, y)
        put(tree, grads)
        comm.Reduce_scatter_block(grads, my_grads)
        norms = comm.allgather(oc.global_norm(my_grads))
        optimizer.step(my_grads, grad_scale=scale(norms, comm.size))
        comm.Allgather(params[mine].copy(), params)  # a copy: MPI's buffers must not overlap
        if comm.rank == 0 and step % 20 == 0:
            print(f"step {step}  loss {loss:.4f}")

    if comm.rank == 0:
        print(f"processes {comm.size}  accuracy {network.accuracy(net, *data()):.3f}")
    if file:
        save(comm, optimizer, params, file)
    return params[:SIZE]


if __name__ == "__main__":
    from mpi4py import MPI

    train(MPI.COMM_WORLD, file=Path(sys.argv[1]) if len(sys.argv) > 1 else None)
