"""The learning-rate range test: which rates make the loss fall, and which blow it up."""

from .loop import lr_range_test
from .result import RangeTest, Suggestion

__all__ = ["RangeTest", "Suggestion", "lr_range_test"]
