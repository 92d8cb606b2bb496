"""Lightning: automatic and manual optimization, clipping, schedules, and its checkpoints."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from trained import Weights, assert_close, assert_moved, assert_same_bits, weights

torch = pytest.importorskip("torch")

with warnings.catch_warnings():  # theirs
    warnings.simplefilter("ignore")
    lightning = pytest.importorskip("lightning")

    import optcore.torch as ot

pytestmark = pytest.mark.filterwarnings("ignore")


class Regression(lightning.LightningModule):
    """A perceptron with an optimizer of this class, and a cosine schedule by the step."""

    def __init__(self, kind: Any) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.kind = kind
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(6, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1)
        )

    def loss(self, batch: Any) -> Any:
        X, y = batch
        return (self.layers(X) - y).square().mean()

    def training_step(self, batch: Any, index: int) -> Any:
        return self.loss(batch)

    def configure_optimizers(self) -> Any:
        optimizer = self.kind(self.parameters(), lr=1e-2)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


class ByHand(Regression):
    """The same by manual optimization."""

    def __init__(self, kind: Any) -> None:
        super().__init__(kind)
        self.automatic_optimization = False

    def training_step(self, batch: Any, index: int) -> None:
        optimizer, schedule = self.optimizers(), self.lr_schedulers()
        optimizer.zero_grad()
        self.manual_backward(self.loss(batch))
        self.clip_gradients(optimizer, 0.5, "norm")
        optimizer.step()
        schedule.step()


def batches() -> Any:
    rng = torch.Generator().manual_seed(1)
    X = torch.randn(64, 6, generator=rng)
    data = torch.utils.data.TensorDataset(X, X[:, :1] ** 2)
    return torch.utils.data.DataLoader(data, batch_size=8)


def trainer(epochs: int, folder: Path, **options: Any) -> Any:
    return lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        default_root_dir=folder,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **{"gradient_clip_val": 0.5, **options},
    )


def trained(module: Any, epochs: int, folder: Path, **options: Any) -> Weights:
    trainer(epochs, folder, **options).fit(module, batches())
    return weights(module)


@pytest.mark.parametrize("name", ["AdamW", "SGD", "RMSprop"])
def test_it_trains_as_with_torch(tmp_path: Path, name: str) -> None:
    module = Regression(getattr(ot, name))
    before = weights(module)
    ours = trained(module, 3, tmp_path)
    assert_moved(ours, before)
    theirs = trained(Regression(getattr(torch.optim, name)), 3, tmp_path)
    assert_close(ours, theirs)


def test_mixed_precision_trains_as_with_torch(tmp_path: Path) -> None:
    """To 1e-3: a bit of bfloat16 in a gradient is much, and steps follow each other."""
    ours = trained(Regression(ot.AdamW), 3, tmp_path, precision="bf16-mixed")
    theirs = trained(Regression(torch.optim.AdamW), 3, tmp_path, precision="bf16-mixed")
    assert_close(ours, theirs, 1e-3)


def test_manual_optimization_takes_the_same_steps(tmp_path: Path) -> None:
    by_hand = trained(ByHand(ot.AdamW), 2, tmp_path, gradient_clip_val=None)
    assert_same_bits(by_hand, trained(Regression(ot.AdamW), 2, tmp_path))


@pytest.mark.parametrize("kind", [ot.AdamW, ot.Lion, ot.RAdam], ids=lambda kind: kind.__name__)
def test_it_resumes_with_the_bits_of_the_whole_run(tmp_path: Path, kind: Any) -> None:
    whole = trained(Regression(kind), 4, tmp_path)
    first = trainer(2, tmp_path)
    first.fit(Regression(kind), batches())
    first.save_checkpoint(tmp_path / "half.ckpt")
    module = Regression(kind)
    trainer(4, tmp_path).fit(module, batches(), ckpt_path=tmp_path / "half.ckpt")
    assert_same_bits(weights(module), whole)
    assert {float(s["step"]) for s in module.optimizers().optimizer.state.values()} == {32.0}
