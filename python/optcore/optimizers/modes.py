"""The two modes of an optimizer whose parameters in training are not those to evaluate."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from ..typing import Array, Tree
from . import hyper, state_dict, storage
from .base import Optimizer


class TwoModes(Optimizer):
    """An optimizer with a train mode, in which it steps, and an eval mode.

    It begins in train mode. In eval mode the parameter arrays hold what is to be evaluated, and a
    step is a `RuntimeError`. What they held before is kept beside them, so that `train` gives it
    back to the bit, and how often a model is evaluated changes nothing of its training; it takes as
    much memory as the parameters. What you write to the arrays in eval mode is gone after `train`.

    The mode is part of the state dict, and in eval mode so are the parameters of train mode: a
    checkpoint of both, the arrays and the state dict, may be taken in either mode. `ema` averages
    the parameters of train mode, and `averaged()` is for that mode; `copy_to` receives those of the
    mode, whichever it is.
    """

    def __init__(self, params: Tree, values: Mapping[str, Any], **common: Any):
        self._trained: dict[str, Array] | None = None  # in eval mode: the parameters of train mode
        super().__init__(params, values, **common)

    def _evaluated(self, path: str, param: Array) -> Array:
        """What a parameter is in eval mode, in the type it is computed in."""
        raise NotImplementedError

    @property
    def training(self) -> bool:
        """Whether the optimizer is in train mode."""
        return self._trained is None

    def train(self) -> None:
        """Back to train mode, with the parameters that it left; nothing if it is in that mode."""
        if self._trained is None:
            return
        self._put_back(self._trained)
        self._trained = None
        self._send_away("")

    def eval(self) -> _UntilLeft:
        """To eval mode: the arrays hold what is to be evaluated; nothing if it is in that mode.

        In a with statement the mode ends with the block: it is then what it was before.

        Raises:
            RuntimeError: inside a block of `averaged()`, or while another thread is stepping.
        """
        before = self.training
        if before:
            self._enter_eval()
        return _UntilLeft(self, before)

    # Inside. -----------------------------------------------------------------------------------

    def _enter_eval(self) -> None:
        if self._away:
            raise RuntimeError(
                "eval: expected no averaged() block, and no climb of SAM, around it; leave it first"
            )
        self._refuse_steps()
        trained: dict[str, Array] = {}
        try:
            for path, array, copied in zip(self._paths, self._arrays, self._copies, strict=True):
                trained[path] = array.copy()
                shown = self._evaluated(path, array)
                storage.assign(array, shown)
                if copied is not None:
                    storage.assign(copied, shown)
        except BaseException:
            self._put_back(trained)
            self._send_away("")
            raise
        self._trained = trained

    def _refuse_steps(self) -> None:
        self._send_away(
            "step: expected train mode, but the optimizer is in eval mode, in which the parameters "
            "are those to evaluate; call train() first"
        )

    def _put_back(self, trained: Mapping[str, Array]) -> None:
        """Gives arrays and copies what they hold in train mode."""
        for path, array, copied in zip(self._paths, self._arrays, self._copies, strict=True):
            if path in trained:
                storage.assign(array, trained[path])
                if copied is not None:
                    storage.assign(copied, storage.widened(array, self._state[path]))

    def _saved_more(self, copy: bool) -> dict[str, Any]:
        if self._trained is None:
            return {"training": True}
        trained = {path: y.copy() if copy else y for path, y in self._trained.items()}
        return {"training": False, "trained": trained}

    def _checked_more(self, saved: Mapping[str, Any]) -> Any:
        """The parameters of train mode if the dict was saved in eval mode, else None."""
        if "training" not in saved:
            raise KeyError("state_dict/training is missing; expected a dict that state_dict() gave")
        hyper.switch(saved["training"], "state_dict/training")
        if saved["training"]:
            if not self.training:
                raise ValueError(
                    "state_dict/training: expected a dict saved in eval mode, as this optimizer is "
                    "in it, got one of train mode; call train() before you load the parameters and "
                    "this"
                )
            return None
        return state_dict.like_parameters(saved, "trained", self._paths, self._arrays)

    def _take_more(self, more: Any) -> None:
        self._trained = more
        if more is not None:
            self._refuse_steps()


class _UntilLeft(AbstractContextManager[None]):
    """What `eval` returns: as a with statement it ends the mode that it began."""

    def __init__(self, opt: TwoModes, began: bool):
        self._opt, self._began = opt, began

    def __exit__(self, *error: object) -> None:
        if self._began:
            self._opt.train()

    def __repr__(self) -> str:
        return "eval mode"
