"""The types of `optcore.torch`, written from the signatures of its classes.

The classes are made from those of the NumPy door as the package is imported, where type checkers
cannot look. `python -m optcore.torch.stub` writes down what they would find.
"""

from __future__ import annotations

import inspect
from pathlib import Path

from .. import torch as door
from ..ops.stub import parameters

PATH = Path(__file__).with_name("__init__.pyi")

_HEAD = """\
# Written by `python -m optcore.torch.stub`.
from typing import Any, Literal

from torch import Tensor
from torch.optim.optimizer import ParamsT

from ..optimizers import EMA
from .adam import TorchAdam
from .lbfgs import LBFGS as LBFGS
from .lr_scheduler import LRScheduler as LRScheduler
from .modes import TwoModes
from .optimizer import TorchOptimizer as TorchOptimizer
from .sophia import TorchSophia
from .sparse import TorchSGD, TorchSparseAdam

"""


def text() -> str:
    """The stub as it has to be today."""
    names = "".join(f'    "{name}",\n' for name in door.__all__)
    every = (getattr(door, name) for name in door.__all__)
    made = [each for each in every if each.__module__ == door.__name__]
    return f"{_HEAD}__all__ = [\n{names}]\n\n{chr(10).join(definition(each) for each in made)}"


def definition(kind: type) -> str:
    """A class, of which only the constructor is its own."""
    lines = parameters(inspect.signature(kind), indent=8)
    return (
        f"class {kind.__name__}({kind.__bases__[0].__name__}):\n"
        f"    def __init__(\n        self,\n{lines}    ) -> None: ...\n"
    )


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
