"""Optimizers compared on a problem: the runs, a table of them, and files.

`optcore.compare` is the way in, `optcore.problems` what there is to train.
"""

from .compare import DEFAULT, compare
from .entries import names
from .result import Result
from .run import Run
from .summary import Row

__all__ = ["DEFAULT", "Result", "Row", "Run", "compare", "names"]
