"""examples/distributed, each in two processes as its text says, and in one."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import optcore as oc
from optcore.demo import network

EXAMPLES = Path(__file__).parents[1] / "examples" / "distributed"

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="no examples here")


def finished(commands: list[list[str]], environments: list[dict[str, str]]) -> str:
    """Runs the commands at the same time; all of their output, once they have succeeded."""
    running = [
        subprocess.Popen(
            command,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for command, environment in zip(commands, environments, strict=True)
    ]
    try:
        outputs = [process.communicate(timeout=120)[0] for process in running]
    finally:
        for process in running:
            process.kill()
    assert not any(process.returncode for process in running), "\n".join(outputs)
    return "".join(outputs)


def accuracy(output: str, processes: int) -> float:
    return float(re.search(rf"processes {processes}  accuracy ([0-9.]+)", output)[1])


# torch.distributed. ----------------------------------------------------------------------------


def in_processes(world: int, name: str, *args: object) -> str:
    """What torchrun does, without its own process; with one, the plain script."""
    command = [sys.executable, str(EXAMPLES / name), *map(str, args)]
    if world == 1:
        return finished([command], [{}])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return finished([command] * world, [{"RANK": str(i), **shared} for i in range(world)])


def test_ddp() -> None:
    pytest.importorskip("torch")
    assert accuracy(in_processes(2, "ddp.py"), 2) > 0.75


def test_zero_writes_a_checkpoint_that_one_process_can_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    assert accuracy(in_processes(2, "zero.py", tmp_path / "saved.pt"), 2) > 0.75
    saved = torch.load(tmp_path / "saved.pt", weights_only=True)
    assert {float(state["step"]) for state in saved["optimizer"]["state"].values()} == {60.0}
    for weight, state in zip(
        saved["model"].values(), saved["optimizer"]["state"].values(), strict=True
    ):
        assert state["exp_avg"].shape == weight.shape


def test_fsdp2_goes_on_with_another_number_of_processes(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    first = in_processes(2, "fsdp2.py", tmp_path / "saved")
    second = in_processes(1, "fsdp2.py", tmp_path / "saved")
    assert "resumed" not in first
    assert "resumed" in second
    assert accuracy(second, 1) > accuracy(first, 2) > 0.75


# MPI. ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mpi_numpy() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mpi_numpy", EXAMPLES / "mpi_numpy.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def mpirun() -> list[str]:
    """The launcher beside this Python, as pip installs it, or the machine's."""
    pytest.importorskip("mpi4py")
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which("mpirun", path=places)
    if not found:
        pytest.skip("no mpirun here; pip install mpich")
    asked = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
    as_root = ["--allow-run-as-root", "--oversubscribe"] if "Open MPI" in asked else []
    return [found, *as_root]


def with_mpi(mpirun: list[str], world: int, file: Path) -> str:
    command = [*mpirun, "-n", str(world), sys.executable, str(EXAMPLES / "mpi_numpy.py"), str(file)]
    return finished([command], [{}])


def in_one_process(example: Any, world: int, runs: int) -> Any:
    """The same training by one optimizer over all, with the sums that MPI makes of two shares."""
    flat, parts = example.padded(world), [example.padded(world) for _ in range(world)]
    example.put(network.initial(example.SIZES, seed=0), flat)
    net, optimizer = example.windows(flat), oc.AdamW(flat, lr=3e-3)
    for _ in range(runs):
        streams = [example.batches(60, rank, world) for rank in range(world)]
        for shares in zip(*streams, strict=True):
            for part, share in zip(parts, shares, strict=True):
                example.put(network.loss_and_grads(net, *share)[1], part)
            grads = sum(parts)
            norms = [oc.global_norm(share) for share in np.split(grads, world)]
            optimizer.step(grads, grad_scale=example.scale(norms, world))
    return flat[: example.SIZE]


def test_mpi_has_the_bits_of_one_process(
    mpirun: list[str], mpi_numpy: ModuleType, tmp_path: Path
) -> None:
    """With state that two processes have saved, and taken up again."""
    file = tmp_path / "saved.npz"
    assert accuracy(with_mpi(mpirun, 2, file), 2) > 0.75
    with np.load(file) as saved:
        np.testing.assert_array_equal(saved["params"], in_one_process(mpi_numpy, 2, 1))
    with_mpi(mpirun, 2, file)
    with np.load(file) as saved:
        assert saved["step"] == 120
        np.testing.assert_array_equal(saved["params"], in_one_process(mpi_numpy, 2, 2))


def test_mpi_goes_on_with_another_number_of_processes(mpirun: list[str], tmp_path: Path) -> None:
    """Three do not divide the parameters; the batches are the same, cut in another way."""
    file, other = tmp_path / "saved.npz", tmp_path / "other.npz"
    with_mpi(mpirun, 1, file)
    shutil.copy(file, other)
    with_mpi(mpirun, 1, file)
    with_mpi(mpirun, 3, other)
    with np.load(file) as one, np.load(other) as three:
        assert three["step"] == one["step"] == 120
        np.testing.assert_allclose(three["params"], one["params"], rtol=0, atol=2e-3)
