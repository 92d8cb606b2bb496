"""optcore for torch: schedules for any of its optimizers."""

from .lr_scheduler import LRScheduler

__all__ = ["LRScheduler"]
