"""Early stopping: a network with too many weights, stopped before it learns noise by heart.

It learns what `dropout.py` learns, with ten times as many hidden units and without dropout. First
it is trained to the end, to show what comes of that; then with a stop after ten epochs without
progress on examples that it does not learn from (Prechelt, 1998).
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import torch
from torch import nn

import optcore as oc
import optcore.torch as ot
from dropout import patients
from side_by_side import compare, epochs, made, options
from training import Data, Loss, Side, Trainer, batched, evaluated

RATE, PATIENCE = 3e-3, 10


def net() -> nn.Module:
    """10-200-1."""
    return nn.Sequential(nn.Linear(10, 200), nn.ReLU(), nn.Linear(200, 1))


def with_optcore(model: nn.Module) -> Trainer:
    """Adam at a constant rate."""
    return Trainer(ot.Adam(model.parameters(), lr=RATE))


def with_torch(model: nn.Module) -> Trainer:
    """The same."""
    return Trainer(torch.optim.Adam(model.parameters(), lr=RATE))


def to_the_end(data: Data, loss: Loss, chosen: Namespace) -> tuple[Side, list[float]]:
    """A side that never stops, and its training losses after each epoch."""
    model = made(net, chosen.seed)
    side = Side("to the end", model, with_optcore(model), patience=epochs(chosen) + 1)
    losses = []
    for epoch in range(epochs(chosen)):
        batches = batched(data.train, 32, 1000 * chosen.seed + epoch)
        side.epoch(batches, data.valid, loss)
        losses.append(evaluated(model, data.train, loss)[0])
    return side, losses


def row(words: str, model: nn.Module, data: Data, loss: Loss) -> str:
    """What the model is worth now."""
    losses = [evaluated(model, part, loss) for part in data]
    values = "  ".join(f"{value:8.4f}" for value, _ in losses)
    return f"{words:23}  {values}  {100 * losses[-1][1]:6.1f} %"


def draw(side: Side, losses: list[float], path: Path) -> None:
    """The two losses, the best epoch, and where patience is at its end."""
    shown = {"training": losses, "validation": side.losses}
    counted = [epoch + 1.0 for epoch in range(len(losses))]
    ax = oc.plot.curves(shown, x=counted, xlabel="epoch", ylabel="cross-entropy", log=False)
    ax.legend(loc="center right", frameon=False)
    stopping = oc.EarlyStopping(patience=PATIENCE)
    end = next((e for e, value in enumerate(side.losses, 1) if stopping.step(value)), None)
    best, top = (stopping.best_step or 0) + 1, ax.get_ylim()[1]
    ax.axvline(best, color="#222222", linewidth=1, linestyle=":")
    ax.annotate("the best, restored", (best, top), va="bottom", ha="center", fontsize=9)
    if end is not None:
        ax.axvspan(end, len(losses), color="#ECECEC", zorder=0)
        ax.annotate("patience ends", (end, top), va="bottom", fontsize=9)
    print(f"\nthe picture is in {oc.plot.save(ax, path, dpi=100)}")


if __name__ == "__main__":
    parser = options(__doc__, epochs=60)
    parser.add_argument("--picture", type=Path, help="where to draw the losses, a PNG")
    chosen = parser.parse_args()
    data, loss = patients(), nn.BCEWithLogitsLoss()
    side, losses = to_the_end(data, loss, chosen)
    print("                         training     valid.      test   test acc.")
    print(row(f"the last epoch, {len(losses)}", side.model, data, loss))
    side.stopping.restore()
    best = (side.stopping.best_step or 0) + 1
    print(row(f"the best by valid., {best}", side.model, data, loss), end="\n\n")
    compare(
        net,
        data,
        loss,
        optcore=with_optcore,
        torch_optim=with_torch,
        chosen=chosen,
        patience=PATIENCE,
    )
    if chosen.picture:
        draw(side, losses, chosen.picture)
