"""What a model needs in memory when its nodes run in a given order: a simulation of its own, that knows no plan."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from onnx import ModelProto

from ._model import Model, reads


def peak_memory(
    model: ModelProto | str | os.PathLike[str],
    order: Iterable[str] | None = None,
    dimensions: Mapping[str, int] | None = None,
) -> int:
    """Simulate a model and return the peak of resident bytes.

    Weights and inputs are resident throughout, a value from the node that computes it to the last one that uses it or a
    view of it, outputs to the end.

    Parameters
    ----------
    model : onnx.ModelProto or path-like
    order : iterable of str, optional
        Names of all nodes, in the order in which they run, such as a runtime's profile tells it; the default is that of
        the model.
    dimensions : mapping of str to int, optional
        Values for named dimensions of the inputs.

    Returns
    -------
    int
        Bytes.
    """
    read = Model(model, dimensions)
    nodes = list(read.proto.graph.node)
    if order is not None:
        named = {node.name: node for node in nodes}
        nodes = [named[name] for name in order]
    last_use: dict[str, int] = {}
    for step, node in enumerate(nodes):
        for name in reads(node):
            last_use[read.storage(name)] = step
        for name in node.output:
            if name and name not in read.views:
                last_use.setdefault(name, step)
    last_use |= dict.fromkeys(read.outputs, len(nodes))
    resident = sum(read.values[name].bytes for name in (*read.weights, *read.inputs))
    dying: dict[int, list[str]] = {}
    for name, step in last_use.items():
        if name not in read.weights and name not in read.inputs:
            dying.setdefault(step, []).append(name)
    live = peak = resident
    for step, node in enumerate(nodes):
        live += sum(read.values[name].bytes for name in node.output if name and name not in read.views)
        peak = max(peak, live)
        live -= sum(read.values[name].bytes for name in dying.get(step, ()))
    return peak
