"""ONNX models within a memory budget.

`plan` returns a model whose nodes are in the order of a plan and whose recomputed nodes are there twice; it computes the
same. ``python -m moccasin model.onnx --budget 60% -o out.onnx`` does it to a file.

An ONNX file does not say in which order to run its nodes, and a runtime may merge equal ones. For onnxruntime to run
the plan, take `session_options`.
"""

from ._memory import peak_memory
from ._model import Model, ModelError
from ._plan import Planned, plan, session_options

__all__ = ["Model", "ModelError", "Planned", "peak_memory", "plan", "session_options"]
