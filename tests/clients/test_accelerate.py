"""accelerate: the plain loop, accumulation, clipping, and its checkpoints."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from trained import Weights, assert_close, assert_moved, assert_same_bits, weights

torch = pytest.importorskip("torch")

with warnings.catch_warnings():  # theirs
    warnings.simplefilter("ignore")
    accelerate = pytest.importorskip("accelerate")

    import optcore.torch as ot

pytestmark = pytest.mark.filterwarnings("ignore")


class Run:
    """A perceptron, its optimizer, schedule and data, prepared by an `Accelerator`."""

    def __init__(self, kind: Any, accumulate: int = 1, **options: Any) -> None:
        torch.manual_seed(0)
        self.accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_steps=accumulate)
        model = torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
        optimizer = kind(model.parameters(), lr=1e-2, **options)
        rng = torch.Generator().manual_seed(1)
        X = torch.randn(64, 6, generator=rng)
        data = torch.utils.data.TensorDataset(X, X[:, :1] ** 2)
        self.model, self.optimizer, self.data, self.schedule = self.accelerator.prepare(
            model,
            optimizer,
            torch.utils.data.DataLoader(data, batch_size=8),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 30),
        )
        self.accelerator.register_for_checkpointing(self.schedule)

    def train(self, epochs: int) -> Weights:
        for _ in range(epochs):
            for X, y in self.data:
                with self.accelerator.accumulate(self.model):
                    loss = (self.model(X) - y).square().mean()
                    self.accelerator.backward(loss)
                    if self.accelerator.sync_gradients:
                        self.accelerator.clip_grad_norm_(self.model.parameters(), 0.5)
                    self.optimizer.step()
                    self.schedule.step()
                    self.optimizer.zero_grad()
        return weights(self.accelerator.unwrap_model(self.model))


@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize("name", ["AdamW", "SGD"])
def test_it_trains_as_with_torch(name: str, accumulate: int) -> None:
    run = Run(getattr(ot, name), accumulate)
    before = weights(run.model)
    ours = run.train(3)
    assert_moved(ours, before)
    assert_close(ours, Run(getattr(torch.optim, name), accumulate).train(3))


@pytest.mark.parametrize("kind", [ot.AdamW, ot.Adagrad, ot.Lion], ids=lambda k: k.__name__)
def test_it_resumes_with_the_bits_of_the_whole_run(tmp_path: Path, kind: Any) -> None:
    whole = Run(kind).train(4)
    first = Run(kind)
    first.train(2)
    first.accelerator.save_state(str(tmp_path))
    second = Run(kind)
    second.accelerator.load_state(str(tmp_path))
    assert_same_bits(second.train(2), whole)


def test_prepare_keeps_our_class() -> None:
    run = Run(ot.AdamW, clip_norm=0.5)
    assert isinstance(run.optimizer.optimizer, ot.AdamW)
    run.train(1)
    assert run.optimizer.optimizer.grad_norm > 0
