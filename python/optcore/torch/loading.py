"""Loading of state dicts."""

from __future__ import annotations

from itertools import chain
from typing import Any

import torch
from torch.optim.optimizer import Optimizer


class KeptFormats(Optimizer):
    """A torch optimizer whose state keeps its number formats when it is loaded.

    torch's own would round float32 state of a bfloat16 parameter to bfloat16.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over a state dict, ours or torch's, keeping the number formats of its state."""
        arrived: list[dict[str, Any]] = []
        hook = self.register_load_state_dict_pre_hook(lambda _, given: arrived.append(given))
        try:
            self.__dict__["_arrived"] = arrived
            super().load_state_dict(state_dict)
        finally:
            del self.__dict__["_arrived"]
            hook.remove()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for arrived in self.__dict__.get("_arrived", ())[-1:]:
            self._restore(arrived)

    def _restore(self, arrived: dict[str, Any]) -> None:
        """Copies state tensors once more, from where they came, into their own number format."""
        ids = chain.from_iterable(group["params"] for group in arrived["param_groups"])
        params = chain.from_iterable(group["params"] for group in self.param_groups)
        for key, param in zip(ids, params, strict=True):
            for name, value in arrived["state"].get(key, {}).items():
                self.state[param][name] = _as_it_came(value, self.state[param][name])


def _as_it_came(value: Any, loaded: Any) -> Any:
    """What was loaded, with tensors in the format that they came in."""
    if isinstance(value, torch.Tensor):
        same = value.dtype == loaded.dtype
        return loaded if same else value.detach().to(loaded.device, copy=True)
    if isinstance(value, list):
        return [_as_it_came(v, mine) for v, mine in zip(value, loaded, strict=True)]
    return loaded
