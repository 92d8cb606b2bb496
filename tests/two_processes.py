"""Two processes in one torch.distributed group (gloo), kept for all tests of a file.

`pair(function, *args)` calls a function of a test module in both of them and returns both results.
The arguments and results travel as bytes, so tensors come back as copies.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

SECONDS = 60  # after that something hangs


def _worker(rank: int, world: int, store: str, pipe: Connection) -> None:
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)  # BLAS adds in another order with more
    dist.init_process_group(
        "gloo",
        store=dist.FileStore(store, world),
        rank=rank,
        world_size=world,
        timeout=timedelta(seconds=SECONDS),
    )
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            break
        if task is None:
            break
        function, args = task
        try:
            answer = ("done", function(*args))
        except BaseException:
            answer = ("failed", traceback.format_exc())
        pipe.send(answer)
    dist.destroy_process_group()


class Pair:
    """The two processes; a context manager."""

    def __init__(self, folder: Path, world: int = 2) -> None:
        self.folder, self.world = folder, world

    def __enter__(self) -> Pair:
        import torch.multiprocessing as mp

        context = mp.get_context("spawn")  # a fork would inherit locks of torch's threads
        self.pipes, self.workers = [], []
        for rank in range(self.world):
            ours, theirs = context.Pipe()
            args = (rank, self.world, str(self.folder / "store"), theirs)
            worker = context.Process(target=_worker, args=args, daemon=True)
            worker.start()
            theirs.close()
            self.pipes.append(ours)
            self.workers.append(worker)
        return self

    def __call__(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        for pipe in self.pipes:
            pipe.send((function, args))
        answers = []
        for rank, pipe in enumerate(self.pipes):
            assert pipe.poll(2 * SECONDS), f"process {rank} does not answer"
            answers.append(pipe.recv())
        for rank, (outcome, value) in enumerate(answers):
            assert outcome == "done", f"process {rank}: {value}"
        return [value for _, value in answers]

    def __exit__(self, *error: object) -> None:
        for pipe in self.pipes:
            pipe.send(None)
            pipe.close()
        for worker in self.workers:
            worker.join(10)
            if worker.is_alive():
                worker.kill()
