"""Moccasin plans tensor rematerialisation: it makes a computation fit in memory for the least extra time.

`solve` plans a `Graph` of operations and tensors within a budget and returns a `Plan`. `moccasin.torch` does it to a
PyTorch training step and `moccasin.onnx` to an ONNX model; both give back something that runs within the budget, with
the same results.
"""

from ._budget import read_budget
from ._core import VERSION as __version__
from ._core import Error
from ._graph import Facts, Graph, Operation, Tensor
from ._plan import Interval, Plan, TracePoint, Verdict
from ._solve import NoPlan, Option, Progress, options, solve

__all__ = [
    "Error",
    "Facts",
    "Graph",
    "Interval",
    "NoPlan",
    "Operation",
    "Option",
    "Plan",
    "Progress",
    "Tensor",
    "TracePoint",
    "Verdict",
    "__version__",
    "options",
    "read_budget",
    "solve",
]
