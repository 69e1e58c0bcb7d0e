"""PyTorch training steps within a memory budget.

`plan` captures a whole training step (loss and gradients) as one graph, plans it, and returns a `Step` that runs the
plan: `step(*inputs)` returns the loss and sets the gradients of the parameters, as ``loss.backward()`` does. `capture`
does the first part alone. For users of ``torch.compile``, `budget_solver` and `partitioner` choose what the backward
pass recomputes.
"""

from ._capture import Capture, capture
from ._compile import Partitioner, budget_solver, partitioner
from ._memory import eager_peak_memory, peak_memory
from ._step import Step, plan
from ._storages import CaptureError

__all__ = [
    "Capture",
    "CaptureError",
    "Partitioner",
    "Step",
    "budget_solver",
    "capture",
    "eager_peak_memory",
    "partitioner",
    "peak_memory",
    "plan",
]
