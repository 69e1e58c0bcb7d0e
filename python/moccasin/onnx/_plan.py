"""Planning a model, and writing the plan as a model."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import onnx
from onnx import ModelProto, NodeProto

from .. import NoPlan, Plan, solve
from ._cost import Shape, estimate
from ._model import Model, ModelError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._options import SolveOptions


@dataclass(frozen=True)
class Planned:
    """A planned model."""

    model: ModelProto
    """The model that follows the plan."""
    plan: Plan
    source: Model
    """The model that was planned, with its graph."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a file.

        Parameters
        ----------
        path : path-like
        """
        onnx.save(self.model, os.fspath(path))


def plan(
    model: ModelProto | str | os.PathLike[str],
    budget: int | float | str,
    *,
    dimensions: Mapping[str, int] | None = None,
    durations: Callable[[NodeProto, list[Shape], list[Shape]], int] = estimate,
    progress: Any = False,
    **options: Unpack[SolveOptions],
) -> Planned:
    """Make a model that computes the same within a memory budget.

    Parameters
    ----------
    model : onnx.ModelProto or path-like
    budget : int, float or str
        Of resident bytes, weights, inputs and outputs included: an int is bytes, a float in (0, 1] a share of what the
        model needs as it is, a str is as on the command line.
    dimensions, durations
        As for `Model`.
    progress, **options
        As for `moccasin.solve`.

    Returns
    -------
    Planned

    Raises
    ------
    ModelError
        A size is not known, or the model uses something other than tensors.
    NoPlan
        There is none within the budget, or none was found in time.

    Examples
    --------
    >>> planned = moccasin.onnx.plan("model.onnx", "60%", dimensions={"batch": 8})
    >>> planned.save("planned.onnx")
    """
    source = Model(model, dimensions, durations)
    found = solve(source.graph, budget, progress=progress, **options)
    return write(source, found)


def write(source: Model, found: Plan) -> Planned:
    """Write a plan of a model as a model.

    Parameters
    ----------
    source : Model
    found : Plan
        Of ``source.graph``.
    """
    if not found:
        raise NoPlan(found)
    duration, peak, _ = source.graph.evaluate(found.sequence)
    if (duration, peak) != (found.total_duration, found.peak_memory):
        raise ModelError("the plan is for another model")
    nodes = _Writer(source, [str(name) for name in found.sequence]).nodes
    model = ModelProto()
    model.CopyFrom(source.proto)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    return Planned(model, found, source)


class _Writer:
    """Nodes in the order of a plan.

    Every instance of a value has a name of its own. The first instance keeps the name; but what leaves the model is the
    last instance, so there the last one does.
    """

    def __init__(self, source: Model, sequence: list[str]) -> None:
        self.source = source
        self.nodes: list[NodeProto] = []
        self._names = {n.name for n in source.proto.graph.node} | set(source.nodes)
        self._values = set(source.values) | set(source.views) | {o for n in source.proto.graph.node for o in n.output}
        self._now: dict[str, str] = {}  # the name of the latest instance of a value
        self._instance: Counter[str] = Counter()  # how often a node has been computed
        self._view_instance: dict[str, int] = {}  # of the node that the latest view was taken of
        times = Counter(sequence)
        for name in sequence:
            node = source.nodes[name]
            leaves = bool(set(node.output) & set(source.outputs))
            self._instance[name] += 1
            original = self._instance[name] == (times[name] if leaves else 1)
            self._emit(node, name, original)

    def _fresh(self, name: str, taken: set[str]) -> str:
        number = 2
        while f"{name}__{number}" in taken:
            number += 1
        taken.add(f"{name}__{number}")
        return f"{name}__{number}"

    def _emit(self, node: NodeProto, name: str, original: bool) -> None:
        copy = NodeProto()
        copy.CopyFrom(node)
        copy.name = name if original else self._fresh(name, self._names)
        for position, value in enumerate(node.input):
            if value:
                copy.input[position] = self._value(value)
        for position, value in enumerate(node.output):
            if value:
                copy.output[position] = self._now[value] = value if original else self._fresh(value, self._values)
        for value in node.output:
            self._view_instance.pop(value, None)
        self.nodes.append(copy)

    def _value(self, value: str) -> str:
        """The name of the latest instance; a view is taken anew when its storage has been computed again."""
        view = self.source.views.get(value)
        if view is None:
            return self._now.get(value, value)
        count = self._instance[self.source.node_of.get(self.source.base[value], "")]
        if self._view_instance.get(value) != count:
            self._emit(view, view.name or f"{value} view", value not in self._now)
            self._view_instance[value] = count
        return self._now[value]


def session_options(options: Any = None) -> Any:
    """Set up onnxruntime to run a planned model as it is planned.

    By default, onnxruntime runs nodes in an order of its own and merges nodes that compute the same, which is what a
    recomputed node looks like. These options make it keep to the order of the file and turn off the optimisers that undo
    the plan; with some versions they are all that is needed, elsewhere they do no harm.

    Parameters
    ----------
    options : onnxruntime.SessionOptions, optional
        Options to change; the default is new ones.

    Returns
    -------
    onnxruntime.SessionOptions
    """
    import onnxruntime

    options = options or onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.execution_order = onnxruntime.ExecutionOrder.PRIORITY_BASED
    return options
