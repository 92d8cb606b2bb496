"""What torch's Adam and AdamW refuse of hyperparameters that are tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from .optimizer import TorchOptimizer


class TorchAdam(TorchOptimizer):
    """What Adam and AdamW have beside their step."""

    def _check(self, group: Mapping[str, Any]) -> None:
        if group.get("foreach"):
            betas = {f"betas[{i}]": beta for i, beta in enumerate(group["betas"])}
            for name, value in {"lr": group["lr"], **betas}.items():
                if isinstance(value, torch.Tensor):
                    raise ValueError(
                        f"{name} as a Tensor is not supported for capturable=False and "
                        "foreach=True; leave foreach out, or pass a float"
                    )
        kinds = {isinstance(beta, torch.Tensor) for beta in group["betas"]}
        if len(kinds) > 1:
            raise ValueError(
                f"betas must be either both floats or both Tensors, got {group['betas']!r}; "
                "convert one of them"
            )
        super()._check(group)
