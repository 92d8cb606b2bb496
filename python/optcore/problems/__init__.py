"""Problems to compare optimizers on: functions of the plane, regressions, networks, one's own.

>>> import optcore as oc
>>> oc.problems.names()[:5]
['quadratic', 'rosenbrock', 'beale', 'himmelblau', 'linear']
>>> oc.problems.named("quadratic:condition=1000").described()
'quadratic, 2 numbers, condition 1000'

Those of scikit-learn's data need scikit-learn, `pip install 'optcore[demo]'`.
"""

from .base import Problem
from .builtin import PROBLEMS, linear
from .data import Data, breast_cancer, diabetes, digits, line
from .functions import Beale, Himmelblau, Plane, Quadratic, Rosenbrock
from .named import named, names
from .network import Network
from .own import as_problem
from .supervised import Supervised

__all__ = [
    "PROBLEMS",
    "Beale",
    "Data",
    "Himmelblau",
    "Network",
    "Plane",
    "Problem",
    "Quadratic",
    "Rosenbrock",
    "Supervised",
    "as_problem",
    "breast_cancer",
    "diabetes",
    "digits",
    "line",
    "linear",
    "named",
    "names",
]
