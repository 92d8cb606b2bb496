"""What a problem has to tell, for optimizers to be compared on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np

from ..typing import Tree

NO_BATCH = "expected at least one batch, got none from batches(rng); give all of them in each call"
_ENDLESS = 1_000_000


class Problem:
    """A loss to be made small, the base of all that `optcore.compare` trains.

    Two methods are needed, `initial` and `loss_and_grads`; the rest has a sensible default. A class
    of your own need not derive from this one: any object with these two methods will do, and what
    else it has of the following is used. (Without `batches`, its `loss_and_grads` gets no batch.)

    Attributes:
        name: what tables call it.
        loss_name: what its loss is, such as "cross-entropy".
        metric_name: what `metric` gives, such as "test accuracy"; empty where there is none. An
            accuracy is a share, from 0 to 1, and shown in per cent.
        epochs: how often to go through the batches, unless told otherwise.
        target: a loss that is worth reaching, or None.
        rates: learning rates that suit it, by the name of the optimizer in lower case; others use
            the class's default.

    Example:
        >>> import numpy as np, optcore as oc
        >>> class Valley(oc.problems.Problem):
        ...     name, epochs = "valley", 50
        ...     def initial(self, seed):
        ...         return np.array([4.0, 1.0])
        ...     def loss_and_grads(self, params, batch):
        ...         slopes = np.array([1.0, 20.0])
        ...         return float(slopes @ params**2) / 2, slopes * params
        >>> result = oc.compare(Valley(), ["sgd:lr=0.05", "adam:lr=0.3"])
        >>> [run.final_loss < 1 for run in result.runs]
        [True, True]
    """

    name: str = "problem"
    loss_name: str = "loss"
    metric_name: str = ""
    epochs: int = 100
    target: float | None = None
    rates: Mapping[str, float] = MappingProxyType({})

    def initial(self, seed: int) -> Tree:
        """New parameters to start from; the same ones for the same seed."""
        raise NotImplementedError(f"{type(self).__name__}: expected a method initial(seed)")

    def loss_and_grads(self, params: Any, batch: Any) -> tuple[float, Tree]:
        """The loss on a batch and its gradients, nested as the parameters.

        The arrays of the gradients may be the same ones in every call.
        """
        raise NotImplementedError(
            f"{type(self).__name__}: expected a method loss_and_grads(params, batch)"
        )

    def batches(self, rng: np.random.Generator) -> Iterable[Any]:
        """The batches of an epoch, the same ones for the same state of `rng`.

        The default is one batch, None: all there is, in every step.
        """
        return (None,)

    def loss(self, params: Any) -> float:
        """The loss that counts: over all data, in evaluation."""
        if self.full_batch:
            return float(self.loss_and_grads(params, None)[0])
        losses = [
            float(self.loss_and_grads(params, batch)[0])
            for batch in self.batches(np.random.default_rng(0))
        ]
        if not losses:
            raise ValueError(NO_BATCH)
        return sum(losses) / len(losses)

    def metric(self, params: Any) -> float | None:
        """What else says how good the parameters are, higher being better; None for nothing."""
        return None

    @property
    def full_batch(self) -> bool:
        """Whether every step sees everything, so that its loss is the one that counts."""
        return type(self).batches is Problem.batches

    @property
    def steps_per_epoch(self) -> int:
        """The number of batches in an epoch.

        Raises:
            ValueError: there are so many that they may have no end.
        """
        batches = self.batches(np.random.default_rng(0))
        count = sum(1 for _ in islice(batches, _ENDLESS))
        if count == _ENDLESS:
            raise ValueError(
                f"{self.name}: expected an epoch of batches that ends, got {_ENDLESS:,} and more "
                "from batches(rng); end it, or derive from Problem and say its steps_per_epoch"
            )
        return count

    def described(self) -> str:
        """The problem in a line."""
        return self.name
