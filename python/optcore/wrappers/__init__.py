"""Wrappers over any optimizer, one file each. They nest."""

from .accumulation import GradientAccumulation
from .agc import AGC
from .base import Wrapper
from .centralization import GradientCentralization
from .lookahead import Lookahead
from .sam import SAM
from .swa import SWA

__all__ = [
    "AGC",
    "SAM",
    "SWA",
    "GradientAccumulation",
    "GradientCentralization",
    "Lookahead",
    "Wrapper",
]
