"""PyTorch training steps within a memory budget.

`plan` captures a whole training step (loss and gradients) as one graph, plans it, and returns a `Step` that runs the
plan: `step(*inputs)` returns the loss and sets the gradients of the parameters, as ``loss.backward()`` does. `capture`
does the first part alone. For users of ``torch.compile``, `budget_solver` and `partitioner` choose what the backward
pass recomputes.
"""

from typing import TYPE_CHECKING, Any

from ._capture import Capture, capture
from ._memory import eager_peak_memory, peak_memory
from ._step import Step, plan
from ._storages import CaptureError

if TYPE_CHECKING:
    from ._compile import BudgetSolver, Partitioner, budget_solver, partitioner

__all__ = [
    "BudgetSolver",
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


def __getattr__(name: str) -> Any:
    # The compiler's internals take seconds to import, and most users need none of them.
    if name in ("BudgetSolver", "Partitioner", "budget_solver", "partitioner"):
        from . import _compile

        return getattr(_compile, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
