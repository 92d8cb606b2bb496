"""Parameters and state as they are stored, and what the reference makes of a step on them.

Composed from the reference alone: what is stored is widened to float32, the rule steps that, and
what comes of it is narrowed again. Tests hold the kernels against it bit for bit.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
from rule_list import Options, Rule, added_up

from optcore import reference
from optcore.reference.common import laid_out
from optcore.reference.sums import memory_index

BF16 = ml_dtypes.bfloat16

NON_NEGATIVE = {
    "exp_avg_sq",
    "max_exp_avg_sq",
    "exp_avg_var",
    "max_exp_avg_var",
    "exp_inf",
    "square_avg",
    "sum",
    "acc_delta",
    "n",
    "step_size",
}
"""Slots whose 8-bit codes have no sign."""

STATES = ("float32", "bfloat16", "8bit", "mixed")
MIXED = ("8bit", "bfloat16", "float32")

Slot = Any
"""An array, or codes and scales."""


def state_kinds(names: list[str], state: str, mirrors: tuple[str, ...] = ()) -> dict[str, str]:
    """What each slot is stored in; "mixed" goes round, beginning where the rule's name says.

    Copies of the parameter are never in 8 bits.
    """
    kinds = dict.fromkeys(names, state)
    if state == "mixed":
        kinds = {name: MIXED[(k + len(names)) % len(MIXED)] for k, name in enumerate(names)}
    return kinds | {name: "float32" for name in mirrors if kinds.get(name) == "8bit"}


def narrowed(x: np.ndarray, kind: str, signed: bool = True) -> Slot:
    """float32 numbers as they are stored, lying as x does."""
    if kind == "8bit":
        return reference.encode8(x, signed)
    if kind == "bfloat16":
        return laid_out(reference.to_bfloat16(x).view(BF16), x)
    with np.errstate(all="ignore"):
        return laid_out(x.astype(kind), x)


def widened(stored: Slot, signed: bool = True) -> np.ndarray:
    """The numbers that are stored, in float32."""
    if isinstance(stored, tuple):
        return reference.decode8(*stored, signed)
    if stored.dtype == BF16:
        return laid_out(reference.from_bfloat16(stored.view(np.uint16)), stored)
    return laid_out(stored.astype(np.float32), stored)


def bits(x: np.ndarray) -> np.ndarray:
    """The bits of an array, all NaN alike: their payload is no promise."""
    x = np.asarray(x, order="C")
    raw = x.view(f"u{x.itemsize}")
    return raw if x.dtype.kind in "iu" else np.where(np.isnan(x), raw.dtype.type(1), raw)


def check(name: str, got: Slot, want: Slot, where: object) -> None:
    """Equal bits, or an error that says where they differ."""
    if isinstance(want, tuple):
        assert isinstance(got, tuple)
        check(f"the scales of {name}", got[1], want[1], where)
        check(name, got[0], want[0], where)
        return
    assert (got.dtype, got.shape) == (want.dtype, want.shape), (name, where)
    if got.tobytes() == want.tobytes():
        return
    different = np.argwhere(bits(got) != bits(want))
    if len(different):
        at = tuple(different[0])
        raise AssertionError(
            f"{name} at {where}: {len(different)} of {got.size} differ, first at {at}: "
            f"got {got[at]!r}, reference {want[at]!r}"
        )


class Twin:
    """A parameter with all that is kept beside it, stepped by the reference.

    Attributes:
        p: the parameter as it is stored.
        state: each slot as it is stored.
        kept: the float32 master, the other half of a split parameter, or None.
    """

    def __init__(
        self,
        rule: Rule,
        options: Options,
        p: np.ndarray,
        state: str = "float32",
        rounding: str = "nearest",
        path: str = "",
        seed: int = 0,
    ):
        self.rule, self.options, self.rounding = rule, options, rounding
        self.path, self.seed, self.steps = path, seed, 0
        self.p = laid_out(p, p)
        wide = self.p if p.dtype == np.float64 else widened(self.p)
        self.kept = {"master": wide, "split": np.zeros_like(wide, np.int16)}.get(rounding)
        start = rule.start(wide, options)
        self.scalars = [name for name in start if name in rule.scalars]
        names = [name for name in start if name not in self.scalars]
        self.kinds = state_kinds(names, state, rule.optimizer._mirrors)
        self.state = self._stored(start)

    def _stored(self, state: dict[str, np.ndarray]) -> dict[str, Slot]:
        if self.p.dtype == np.float64 or self.rule.factored:
            return dict(state)
        return {
            name: x if name in self.scalars else narrowed(x, self.kinds[name], self.signed(name))
            for name, x in state.items()
        }

    @staticmethod
    def signed(name: str) -> bool:
        return name not in NON_NEGATIVE

    def value(self) -> np.ndarray:
        """The parameter in the type that it is computed in."""
        if self.p.dtype == np.float64:
            return self.p
        if self.rounding == "master":
            rounding = narrowed(self.kept, self.p.dtype.name)
            return np.where(bits(rounding) == bits(self.p), self.kept, widened(self.p))
        if self.rounding == "split":
            return laid_out(reference.joined(self.p.view(np.uint16), self.kept), self.p)
        return widened(self.p)

    def wide_state(self) -> dict[str, np.ndarray]:
        """The state in the type that it is computed in."""
        return {
            name: widened(x, self.signed(name)) if name in self.kinds and self.narrow else x
            for name, x in self.state.items()
        }

    def step(self, g: np.ndarray | None, **more: Any) -> None:
        """One step; without a gradient nothing happens."""
        if g is None:
            return
        self.steps += 1
        wide, state = laid_out(self.value(), self.p), self.wide_state()
        new, after = self.rule.reference(wide, g, state, step=self.steps, **self.options, **more)
        self.state = self._stored(after)
        if self.rounding == "stochastic":
            key = reference.random_key(self.seed, self.steps, self.path)
            drawn = reference.random16(key, memory_index(self.p))
            self.p = laid_out(reference.stochastic_bfloat16(new, drawn).view(BF16), self.p)
        elif self.rounding == "split":
            high, low = reference.split(new)
            self.p, self.kept = laid_out(high.view(BF16), self.p), laid_out(low, self.p)
        else:
            self.kept = new if self.rounding == "master" else None
            self.p = narrowed(new, self.p.dtype.name) if self.narrow else new

    @property
    def narrow(self) -> bool:
        return self.p.dtype != np.float64

    def check(self, p: np.ndarray, state: dict[str, Slot], where: object) -> None:
        """Holds a parameter and its state, 8-bit slots as pairs, against these."""
        check("p", p, self.p, where)
        for name, x in self.state.items():
            check(name, state[name], x, where)

    def check_in(self, opt: Any, p: np.ndarray, where: object) -> None:
        """The same of an optimizer, all that it keeps included."""
        theirs = opt.state[self.path]
        pairs = {
            name: (x, theirs[f"{name}_scale"]) if f"{name}_scale" in theirs else x
            for name, x in theirs.items()
        }
        self.check(p, {name: np.asarray(x) if not isinstance(x, tuple) else x
                       for name, x in pairs.items()}, (self.path, where))  # fmt: skip
        if self.kept is not None:
            name = "master" if self.rounding == "master" else "remainder"
            check(name, theirs[name], self.kept, (self.path, where))


def whole_sums(twins: list[Twin], grads: list[Any], **more: Any) -> dict[str, Any]:
    """What the step of a global rule has to know of all tensors; nothing for other rules."""
    sums_of = twins[0].rule.sums
    if sums_of is None:
        return {}
    each = [
        sums_of(laid_out(twin.value(), twin.p), g, twin.wide_state(), **twin.options, **more)
        for twin, g in zip(twins, grads, strict=True)
        if g is not None and twin.p.size > 0
    ]
    return {"sums": added_up(each)}


def share_what_was_learned(twins: list[Twin], grads: list[Any]) -> None:
    """Gives what a global rule learned from some tensors to those without a gradient."""
    active = [twin for twin, g in zip(twins, grads, strict=True) if g is not None]
    for twin, g in zip(twins, grads, strict=True):
        if g is None and active and twin.rule.sums is not None:
            twin.state |= {name: active[0].state[name] for name in twin.scalars}
