"""An ONNX model as moccasin's graph.

A node is an operation and its outputs are its tensors, but for those that only rename or reshape (`VIEWS`): runtimes
give their output the storage of their input, so they are no operations and their outputs are views, taken anew of the
latest instance. Weights, inputs and outputs are resident as long as a session keeps them: throughout, or to the end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TypeProto

from .. import Graph, Operation, Tensor
from ._cost import Shape, estimate

VIEWS = frozenset({"Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
RANDOM = frozenset(
    {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
)
STANDARD = ("", "ai.onnx", "ai.onnx.ml")


class ModelError(ValueError):
    """The model cannot be planned; the message says why."""


@dataclass(frozen=True)
class Value:
    """What is known of a value: its shape, the bits of an element, its bytes."""

    shape: Shape
    bits: int

    @property
    def bytes(self) -> int:
        """Bytes, rounded up."""
        count = 1
        for dimension in self.shape:
            count *= dimension
        return (count * self.bits + 7) // 8


def _bits(element: int) -> int | None:
    """The bits of an element; None for strings."""
    name = onnx.TensorProto.DataType.Name(element)
    if name in ("UNDEFINED", "STRING"):
        return None
    for small in ("INT4", "FLOAT4", "INT2"):
        if small in name:
            return int(small[-1])
    return int(onnx.helper.tensor_dtype_to_np_dtype(element).itemsize) * 8


def load(source: ModelProto | str | os.PathLike[str]) -> ModelProto:
    """A model, read if it is a path."""
    return source if isinstance(source, ModelProto) else onnx.load(os.fspath(source))


def captured_names(node: NodeProto) -> list[str]:
    """The values around a node that its subgraphs use."""
    names: dict[str, None] = {}

    def visit(graph: GraphProto, known: frozenset[str]) -> None:
        known = known | {v.name for v in graph.input} | {v.name for v in graph.initializer}
        for inner in graph.node:
            for name in inner.input:
                if name and name not in known:
                    names[name] = None
            for subgraph in _subgraphs(inner):
                visit(subgraph, known)
            known = known | set(inner.output)
        for output in graph.output:
            if output.name not in known:
                names[output.name] = None

    for subgraph in _subgraphs(node):
        visit(subgraph, frozenset())
    return list(names)


def _subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    for attribute in node.attribute:
        if attribute.type == AttributeProto.GRAPH:
            yield attribute.g
        elif attribute.type == AttributeProto.GRAPHS:
            yield from attribute.graphs


def reads(node: NodeProto) -> list[str]:
    """The values that a node uses, each once."""
    return list(dict.fromkeys([name for name in node.input if name] + captured_names(node)))


def _set_dimensions(model: ModelProto, dimensions: Mapping[str, int]) -> None:
    """Give the named dimensions of inputs their values; what inference found out before is dropped."""
    known = {initializer.name for initializer in model.graph.initializer}
    for value in model.graph.input:
        for position, dimension in enumerate(value.type.tensor_type.shape.dim):
            if dimension.HasField("dim_value") or value.name in known:
                continue
            name = dimension.dim_param
            if name not in dimensions:
                called = f"{name!r}" if name else f"number {position}"
                raise ModelError(
                    f"dimension {called} of input {value.name!r} is not fixed: pass its value, dimensions={{{name!r}: ...}}"
                )
            dimension.dim_value = dimensions[name]
    if dimensions:
        del model.graph.value_info[:]
        for value in model.graph.output:
            for dimension in value.type.tensor_type.shape.dim:
                if dimension.dim_param in dimensions:
                    dimension.dim_value = dimensions[dimension.dim_param]


class Model:
    """A model as a graph to plan.

    Parameters
    ----------
    model : onnx.ModelProto or path-like
    dimensions : mapping of str to int, optional
        Values for named dimensions of the inputs, such as a batch size.
    durations : callable, optional
        Called with a node and the shapes of its inputs and outputs, returns nanoseconds; the default is an estimate from
        FLOPs and bytes.

    Attributes
    ----------
    graph : moccasin.Graph
        Operations are nodes, by name where they have a name of their own.
    proto : onnx.ModelProto
        The model, with its dimensions fixed.

    Raises
    ------
    ModelError
        A size is not known, or the model uses something other than tensors.
    """

    def __init__(
        self,
        model: ModelProto | str | os.PathLike[str],
        dimensions: Mapping[str, int] | None = None,
        durations: Callable[[NodeProto, list[Shape], list[Shape]], int] = estimate,
    ) -> None:
        source = load(model)
        self.proto = ModelProto()
        self.proto.CopyFrom(source)
        _set_dimensions(self.proto, dimensions or {})
        try:
            inferred = onnx.shape_inference.infer_shapes(self.proto, check_type=True, strict_mode=True, data_prop=True)
        except onnx.shape_inference.InferenceError as error:
            raise ModelError(f"the shapes of the model cannot be inferred: {error}") from error
        self._types = {
            v.name: v.type for v in (*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output)
        }
        graph = self.proto.graph
        if graph.sparse_initializer:
            raise ModelError("sparse weights are not supported")
        self.weights = {t.name: Value(tuple(t.dims), _bits(t.data_type) or 0) for t in graph.initializer}
        self.inputs = [v.name for v in graph.input if v.name not in self.weights]
        self.outputs = [v.name for v in graph.output]
        self.values: dict[str, Value] = dict(self.weights)
        self.nodes: dict[str, NodeProto] = {}
        self.node_of: dict[str, str] = {}  # the operation that makes a value
        self.views: dict[str, NodeProto] = {}  # the node that makes a view
        self.base: dict[str, str] = {}  # the value whose storage a view shares
        self._read(durations)

    def _value(self, name: str) -> Value:
        if name not in self.values:
            self.values[name] = self._from_type(name, self._types.get(name))
        return self.values[name]

    @staticmethod
    def _from_type(name: str, kind: TypeProto | None) -> Value:
        if kind is None or not kind.WhichOneof("value"):
            raise ModelError(f"the type of {name!r} is not known and cannot be inferred")
        if not kind.HasField("tensor_type"):
            raise ModelError(
                f"{name!r} is a {kind.WhichOneof('value').removesuffix('_type')}; only tensors have a size that is known beforehand"
            )
        bits = _bits(kind.tensor_type.elem_type)
        if bits is None:
            raise ModelError(f"{name!r} has strings, whose size is not known beforehand")
        if not kind.tensor_type.HasField("shape"):
            raise ModelError(f"the shape of {name!r} is not known and cannot be inferred")
        for dimension in kind.tensor_type.shape.dim:
            if not dimension.HasField("dim_value"):
                raise ModelError(
                    f"the shape of {name!r} depends on data: dimension {dimension.dim_param or '?'} is not known"
                )
        return Value(tuple(d.dim_value for d in kind.tensor_type.shape.dim), bits)

    def storage(self, name: str) -> str:
        """The value that a value shares its storage with; itself when it is no view."""
        return self.base.get(name, name)

    def _is_view(self, node: NodeProto, pinned: set[str]) -> bool:
        # What leaves the model gets storage of its own; what a subgraph uses is not taken anew for it.
        return (
            node.domain in STANDARD
            and node.op_type in VIEWS
            and set(node.output).isdisjoint(pinned.union(self.outputs))
        )

    def _read(self, durations: Callable[[NodeProto, list[Shape], list[Shape]], int]) -> None:
        graph = self.proto.graph
        tensors = [Tensor(name, self._value(name).bytes, keep=True) for name in (*self.weights, *self.inputs)]
        available = {tensor.name for tensor in tensors}
        operations: list[Operation] = []
        # A subgraph names what it uses, and keeps to the name: those values are computed once.
        pinned = {name for node in graph.node for name in captured_names(node)}
        token: str | None = None
        for number, node in enumerate(graph.node):
            used = reads(node)
            for name in used:
                if name not in available:
                    raise ModelError(f"node {node.name or number} uses {name!r}, which no node before it computes")
            made = [name for name in node.output if name]
            available.update(made)
            if self._is_view(node, pinned):
                self.views[made[0]] = node
                self.base[made[0]] = self.storage(node.input[0])
                continue
            name = node.name if node.name and node.name not in self.nodes else f"{node.op_type}_{number}"
            while name in self.nodes:
                name += "_"
            inputs: list[str | int] = list(dict.fromkeys(self.storage(value) for value in used))
            outputs: list[str | int] = list(made)
            if node.op_type == "Dropout" and len(made) > 1 and not self._has_shape(made[1]):
                self.values[made[1]] = self._value(
                    node.input[0]
                )  # the mask, of which inference says nothing in old versions
            for value in made:
                self.node_of[value] = name
                tensors.append(Tensor(value, self._value(value).bytes, keep=value in self.outputs))
            random = node.op_type in RANDOM or self._is_training(node) or node.domain not in STANDARD
            if random:
                if token is not None:
                    inputs.append(token)
                token = f"{name} order"
                tensors.append(Tensor(token, 0))
                outputs.append(token)
            once = random or any(True for _ in _subgraphs(node)) or not pinned.isdisjoint(made)
            shapes = (
                [self._value(value).shape for value in node.input if value],
                [self._value(value).shape for value in made],
            )
            self.nodes[name] = node
            operations.append(
                Operation(name, durations(node, *shapes), inputs, outputs, recomputable=not once, label=node.op_type)
            )
        if not operations:
            raise ModelError("the model has no nodes")
        self.graph = Graph(operations, tensors, name=graph.name or None)

    def _has_shape(self, name: str) -> bool:
        return name in self._types and self._types[name].tensor_type.HasField("shape")

    def _is_training(self, node: NodeProto) -> bool:
        """Whether a Dropout may draw numbers."""
        return node.op_type == "Dropout" and len(node.input) > 2 and bool(node.input[2])
