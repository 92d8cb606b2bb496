"""Pictures of optimizers at work, on matplotlib: `pip install 'optcore[plot]'`.

Each function draws on the axes that it is given, or on those of a new figure, and returns them, so
that anything can be added or changed with matplotlib itself.

.. code-block:: python

    ax = oc.plot.curves({"Adam": losses, "SGD": others})  # (points,) or (seeds, points) each
    oc.plot.save(ax, "losses.png")
"""

from .animation import animate
from .contours import path_2d
from .convergence import curves
from .figures import save
from .histograms import update_ratios
from .panels import grid
from .schedule_lines import schedules
from .slopes import path_1d

__all__ = [
    "animate",
    "curves",
    "grid",
    "path_1d",
    "path_2d",
    "save",
    "schedules",
    "update_ratios",
]
