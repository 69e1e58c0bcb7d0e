"""A traced graph of operators as moccasin's graph, with memory counted by storage.

An operator that returns fresh storage is an operation, and its storages are its tensors. A view is no operation: it costs
nothing and is taken anew of whatever instance of its storage is the latest. Placeholders and constants are resident
throughout.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node
from torch.utils._pytree import tree_leaves

from .. import Graph, Operation
from .. import Tensor as PlannedTensor

# Operators that write running statistics although their schema does not say so: positions of the statistics and of the
# flag that makes them do it. Computed again, they get no statistics to write.
STATISTICS = {
    "aten::native_batch_norm": ((3, 4), 5),
    "aten::cudnn_batch_norm": ((3, 4), 5),
    "aten::miopen_batch_norm": ((3, 4), 5),
}
# Operators whose result has a copy of the whole storage of their first input, even when that is a small view of it;
# fake tensors do not show that.
WHOLE_STORAGE = {
    "aten::copy",
    "aten::as_strided_scatter",
    "aten::diagonal_scatter",
    "aten::select_scatter",
    "aten::slice_scatter",
}

# What the state of a device's random generator takes; measured: torch.get_rng_state and torch.cuda.get_rng_state.
STATE_BYTES = {"cpu": 5056, "cuda": 16}
PURE_NAMESPACES = ("aten", "prims")


class CaptureError(RuntimeError):
    """The step cannot be captured or executed safely; the message says why."""


def schema_of(node: Node) -> Any:
    return getattr(node.target, "_schema", None)


def is_random(node: Node) -> bool:
    return torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())


def has_effects(node: Node) -> bool:
    """Whether it matters how often and in which order a call is made; of what we do not know, we assume it."""
    return is_random(node) or node.is_impure() or namespace_of(node) not in PURE_NAMESPACES


def can_be_replayed(node: Node) -> bool:
    """Whether a random operator draws from the default generator of a device whose state we can keep and set."""
    if not is_random(node) or namespace_of(node) not in PURE_NAMESPACES or node.kwargs.get("generator") is not None:
        return False
    devices = {tensor.device.type for tensor in tensor_values(node)}
    return len(devices) == 1 and devices <= STATE_BYTES.keys()


def namespace_of(node: Node) -> str:
    return getattr(node.target, "namespace", "")


def is_getitem(node: Node) -> bool:
    return node.op == "call_function" and node.target is operator.getitem


def is_copy(node: Node) -> bool:
    return node.target is torch.ops.aten.copy_.default


def storage_key(tensor: Tensor) -> int:
    """What tells one storage from another, while both are alive."""
    return int(tensor.untyped_storage()._cdata)


def tensor_values(node: Node) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(node.meta.get("val")) if isinstance(leaf, Tensor)]


def writes_statistics(node: Node) -> bool:
    schema = schema_of(node)
    rule = STATISTICS.get(schema.name) if schema is not None else None
    return rule is not None and node.args[rule[0][0]] is not None and bool(node.args[rule[1]])


def _label(node: Node) -> str:
    shapes = [list(t.shape) for t in tensor_values(node)]
    return f"{schema_of(node).name.split('::')[-1]} {' '.join(map(str, shapes))}".strip()


class Storages:
    """What a traced graph is made of.

    Parameters
    ----------
    nodes : iterable of Node
        In an order in which they can run, with fake tensors as ``meta["val"]``.
    kept : iterable of Node
        Nodes whose storage is to be there at the end.
    cost : callable
        The duration of a node.
    name : str
        Of the graph.
    size : callable, optional
        The bytes of a storage, given a tensor of it; the default is what they are.
    before : tuple of (Node, Operation), optional
        An operation to put before a node.
    once : callable, optional
        Whether a node must not be computed twice, for reasons of the caller's.
    replay : bool
        Random operators can be computed again, from the state of the generator that they had: an operation of its own,
        before each, keeps it.

    Attributes
    ----------
    graph : moccasin.Graph
    operations : dict
        The nodes that are operations, by name.
    owner : dict
        Of every storage, by `storage_key`: the operator that makes it, a placeholder or a constant.
    tensor_of : dict
        The name in `graph` of every storage.
    view_of : dict
        Views, and parts of views, with the node whose storage they share.
    part_of : dict
        Parts of an operator's result, with the operator.
    states : dict
        The random operators that can be replayed, by the name of the operation that keeps the generator's state.
    """

    def __init__(
        self,
        nodes: Iterable[Node],
        kept: Iterable[Node],
        cost: Callable[[Node], int],
        name: str,
        size: Callable[[Tensor], int] | None = None,
        before: tuple[Node, Operation] | None = None,
        once: Callable[[Node], bool] = lambda node: False,
        replay: bool = False,
    ) -> None:
        self.operations: dict[str, Node] = {}
        self.owner: dict[int, Node] = {}
        self.tensor_of: dict[int, str] = {}
        self.view_of: dict[Node, Node] = {}
        self.part_of: dict[Node, Node] = {}
        self._cost = cost
        self._once = once
        self._replay = replay
        self.states: dict[str, Node] = {}
        self._size = size or (lambda tensor: tensor.untyped_storage().nbytes())
        self._kept = {storage_key(tensor) for node in kept for tensor in tensor_values(node)}
        self._constants: dict[Any, Node] = {}
        self._tensors: list[PlannedTensor] = []
        self._planned: list[Operation] = []
        self._token: str | None = None
        self._statistics: dict[int, str] = {}
        nodes = list(nodes)
        for node in nodes:
            if before is not None and node is before[0]:
                self._planned.append(before[1])
            if node.op == "placeholder":
                if any(storage_key(tensor) in self.owner for tensor in tensor_values(node)):
                    raise CaptureError("two parameters or buffers share one storage")
                self._add_storages(node)
            elif node.op == "get_attr":
                self._add_constant(node)
            elif node.op == "call_function":
                self._add_call(node)
            elif node.op != "output":
                raise CaptureError(f"the traced step has a node of kind {node.op}")
        self._check_statistics()
        self.graph = Graph(self._planned, self._tensors, name=name)

    def _add_storages(self, node: Node) -> list[str]:
        fresh: dict[int, int] = {}
        for tensor in tensor_values(node):
            fresh.setdefault(storage_key(tensor), self._size(tensor))
        schema, first = schema_of(node), node.args[0] if node.args else None
        if schema is not None and schema.name in WHOLE_STORAGE and isinstance(first, Node):
            whole = max((self._size(tensor) for tensor in tensor_values(first)), default=0)
            fresh = {key: max(size, whole) for key, size in fresh.items()}
        for index, (key, size) in enumerate(fresh.items()):
            self.tensor_of[key] = node.name if len(fresh) == 1 else f"{node.name}.{index}"
            self.owner[key] = node
            resident = node.op != "call_function"
            self._tensors.append(PlannedTensor(self.tensor_of[key], size, keep=resident or key in self._kept))
        return [self.tensor_of[key] for key in fresh]

    def _add_constant(self, node: Node) -> None:
        if not tensor_values(node):
            raise CaptureError(f"the step uses {node.target}, which is not a tensor")
        same = self._constants.setdefault(node.target, node)
        if same is node:
            self._add_storages(node)
            return
        # One constant may have become several nodes.
        for tensor, first in zip(tensor_values(node), tensor_values(same)):
            self.owner[storage_key(tensor)] = same
            self.tensor_of[storage_key(tensor)] = self.tensor_of[storage_key(first)]

    def _add_call(self, node: Node) -> None:
        source = node.args[0] if is_getitem(node) else None
        if isinstance(source, Node) and (source in self.part_of or source.name in self.operations):
            self.part_of[node] = self.part_of.get(source, source)
            return
        schema = schema_of(node)
        if schema is None and not is_getitem(node):
            raise CaptureError(f"the step calls {node.target}, which is not a plain operator")
        if schema is not None and schema.is_mutable:
            raise CaptureError(
                f"the operator {node.target} writes to its input, and tracing could not make that harmless"
            )
        read = self.storages_read(node)
        made = {storage_key(tensor) for tensor in tensor_values(node)}
        shared = made & self.owner.keys()
        if made and shared == made:
            if len(shared) != 1:
                raise CaptureError(f"the operator {node.target} returns views of several tensors")
            self.view_of[node] = self.owner[shared.pop()]
            return
        if shared:
            raise CaptureError(f"the operator {node.target} returns both a view of its input and a new tensor")
        outputs, inputs = self._add_storages(node), [self.tensor_of[key] for key in read]
        ordered = has_effects(node)
        replayed = self._replay and can_be_replayed(node)
        if ordered:
            # In the order of the plain step: random numbers are drawn, and messages sent, one after the other.
            before = [] if self._token is None else [self._token]
            if replayed:
                state = f"{node.name}.state"
                device = tensor_values(node)[0].device.type
                self._tensors.append(PlannedTensor(state, STATE_BYTES[device]))
                self._planned.append(
                    Operation(state, 1, before, [state], recomputable=False, label="state of the generator")
                )
                self.states[state] = node
                before = [state]
            inputs += before
            self._token = self._add_token(node, outputs)
        for key in self._statistics_of(node):
            # Two batch norms that share statistics write them in the order of the plain step.
            if key in self._statistics:
                inputs.append(self._statistics[key])
            self._statistics[key] = self._add_token(node, outputs)
        self.operations[node.name] = node
        self._planned.append(
            Operation(
                node.name,
                self._cost(node),
                inputs,
                outputs,
                recomputable=(not ordered or replayed) and not self._once(node),
                label=_label(node),
            )
        )

    def _add_token(self, node: Node, outputs: list[str]) -> str:
        """A tensor without bytes that node makes: who reads it, comes after."""
        token = f"{node.name}.order"
        if token not in outputs:
            self._tensors.append(PlannedTensor(token, 0))
            outputs.append(token)
        return token

    @staticmethod
    def _statistics_of(node: Node) -> list[int]:
        """The storages that a batch norm writes without saying so."""
        if not writes_statistics(node):
            return []
        arguments = [node.args[position] for position in STATISTICS[schema_of(node).name][0]]
        return [storage_key(tensor) for part in arguments if isinstance(part, Node) for tensor in tensor_values(part)]

    def _check_statistics(self) -> None:
        for node in self.operations.values():
            if writes_statistics(node) or "batch_norm_backward" in schema_of(node).name:
                continue  # in training, the backward pass is given the statistics but does not use them
            if not self._statistics.keys().isdisjoint(self.storages_read(node)):
                raise CaptureError(
                    f"{node.target} reads the running statistics of a batch norm that the step also updates"
                )

    def storages_read(self, node: Node) -> list[int]:
        """The storages that a call reads, through views too."""
        keys: dict[int, None] = {}
        for source in node.all_input_nodes:
            values = tensor_values(source)
            if not values and isinstance(
                source.meta.get("val"), torch.SymInt | torch.SymFloat | torch.SymBool | int | float | bool
            ):
                raise CaptureError(f"{source.target} returns a number that later operators use")
            for tensor in values:
                keys[storage_key(tensor)] = None
        return list(keys)

    def owner_of(self, node: Node) -> Node:
        """The node whose storage a node shares or has."""
        return self.owner[storage_key(tensor_values(node)[0])]
