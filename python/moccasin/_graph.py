"""Compute graphs: operations, and apart from them the tensors that they read and write."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _core

if TYPE_CHECKING:
    import networkx

Name = int | str
NONE = -1  # no operation, no tensor


@dataclass(frozen=True)
class Operation:
    """An operation of a graph.

    Parameters
    ----------
    name : int or str
        Unique among operations; plans refer to it. ``1`` and ``"1"`` are two names.
    duration : int
        Of one computation, in any unit, the same for the whole graph.
    inputs, outputs : sequence of int or str
        Names of the tensors that it reads and computes.
    workspace : int
        Bytes held only while it runs.
    recomputable : bool
        False: it is computed exactly once (random numbers, input and output, collectives).
    label : str, optional
        A name for people.
    """

    name: Name
    duration: int
    inputs: Sequence[Name] = ()
    outputs: Sequence[Name] = ()
    workspace: int = 0
    recomputable: bool = True
    label: str | None = None


@dataclass(frozen=True)
class Tensor:
    """A tensor of a graph.

    Parameters
    ----------
    name : int or str
        Unique among tensors.
    size : int
        Bytes; 0 for a view.
    view_of : int or str, optional
        The tensor whose storage it shares: reading the view reads that tensor too.
    keep : bool
        Resident when the schedule ends (outputs, gradients); without producer: resident throughout.
    """

    name: Name
    size: int
    view_of: Name | None = None
    keep: bool = False


class Facts(NamedTuple):
    """What is known of a graph without solving anything."""

    baseline_peak: int
    """Peak memory of the input order with nothing recomputed, bytes."""
    baseline_duration: int
    """Sum of all durations."""
    working_set_bound: int
    """Bytes below which no schedule exists."""
    peak_operation: Name
    """The operation that runs when the baseline peak is first reached."""
    working_set_operation: Name | None
    """An operation that sets the bound; None: the kept tensors at the end do."""


def _repeated(names: Iterable[Name]) -> Name | None:
    seen: set[tuple[type, Name]] = set()
    for name in names:
        if (type(name), name) in seen:
            return name
        seen.add((type(name), name))
    return None


class Graph:
    """A compute graph. Immutable.

    Parameters
    ----------
    operations : iterable of Operation
        In the *input order*: an operation comes after those whose outputs it reads.
    tensors : iterable of Tensor
        In any order. One that is no operation's output is an input or a parameter: resident from the start to its
        last use.
    name : str, optional

    See Also
    --------
    Graph.from_json, Graph.from_file, Graph.from_networkx

    Examples
    --------
    >>> graph = Graph(
    ...     [Operation("a", 1, outputs=["x"]), Operation("b", 4, inputs=["x"], outputs=["y"])],
    ...     [Tensor("x", 6), Tensor("y", 4, keep=True)])
    >>> graph.facts.baseline_peak
    10
    """

    def __init__(self, operations: Iterable[Operation], tensors: Iterable[Tensor], name: str | None = None) -> None:
        operations, tensors = list(operations), list(tensors)
        if (twice := _repeated(t.name for t in tensors)) is not None:
            raise _core.Error(f"two tensors have the name {twice!r}")
        named = {t.name: t for t in tensors}
        producer: dict[Name, int] = {}
        for number, operation in enumerate(operations):
            for output in operation.outputs:
                if output not in named:
                    raise _core.Error(f"operation {operation.name!r} computes {output!r}, which is not a tensor")
                if output in producer:
                    raise _core.Error(f"two operations compute the tensor {output!r}")
                producer[output] = number

        # Outputs of an operation count in its own order, and bases come before their views.
        added: dict[Name, int] = {}
        rows: list[tuple[Name | None, int, int, int, bool]] = []

        def add(tensor: Tensor) -> None:
            chain = [tensor]
            while chain[-1].view_of is not None and chain[-1].view_of not in added:
                if chain[-1].view_of not in named:
                    raise _core.Error(
                        f"tensor {chain[-1].name!r} is a view of {chain[-1].view_of!r}, which is not a tensor"
                    )
                chain.append(named[chain[-1].view_of])
                if len(chain) > len(tensors):
                    raise _core.Error(f"tensor {tensor.name!r} is a view of itself")
            for one in reversed(chain):
                if one.name not in added:
                    added[one.name] = len(rows)
                    base = NONE if one.view_of is None else added[one.view_of]
                    rows.append((one.name, one.size, producer.get(one.name, NONE), base, one.keep))

        for tensor in tensors:
            if tensor.name not in producer:
                add(tensor)
        for operation in operations:
            for output in operation.outputs:
                add(named[output])
        reads = []
        for number, operation in enumerate(operations):
            for tensor_name in operation.inputs:
                if tensor_name not in added:
                    raise _core.Error(f"operation {operation.name!r} reads {tensor_name!r}, which is not a tensor")
                reads.append((number, added[tensor_name]))
        self._core = _core.graph_build(
            name,
            [(o.name, o.label, o.duration, o.workspace, not o.recomputable) for o in operations],
            rows,
            reads,
            "as-added",
        )

    @classmethod
    def _wrap(cls, core: _core.Graph) -> Graph:
        graph = cls.__new__(cls)
        graph._core = core
        return graph

    @classmethod
    def from_json(cls, text: str | bytes) -> Graph:
        """Read a graph from JSON text: moccasin-graph or networkx node-link, told apart by the content.

        Parameters
        ----------
        text : str or bytes
        """
        core, _ = _core.graph_read(text.encode() if isinstance(text, str) else bytes(text))
        return cls._wrap(core)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Graph:
        """Read a graph from a file, as the command line does.

        Parameters
        ----------
        path : path-like
        """
        with open(path, "rb") as file:
            return cls.from_json(file.read())

    @classmethod
    def from_networkx(
        cls, graph: networkx.DiGraph[Any], duration: str = "duration", size: str = "size", name: str | None = None
    ) -> Graph:
        """Make a graph of a networkx DiGraph whose nodes are operations with one output each.

        Parameters
        ----------
        graph : networkx.DiGraph
            Nodes are ints or strs. The input order is that of `networkx.topological_sort`.
        duration, size : str
            The node attributes with the duration and with the bytes of the output.
        name : str, optional
            The default is the name of `graph`.
        """
        if not graph.is_directed():
            raise TypeError("the graph must be directed")
        number: dict[Any, int] = {}
        operations: list[tuple[Name, str | None, int, int, bool]] = []
        tensors: list[tuple[Name | None, int, int, int, bool]] = []
        for node, attributes in graph.nodes(data=True):
            for attribute in (duration, size):
                if attribute not in attributes:
                    raise _core.Error(f"node {node!r} has no attribute {attribute!r}")
            number[node] = len(operations)
            operations.append((node, None, attributes[duration], 0, False))
            tensors.append((None, attributes[size], number[node], NONE, False))
        reads = [(number[v], number[u]) for u, v in graph.edges()]
        own_name = name if name is not None else graph.graph.get("name") or None
        return cls._wrap(_core.graph_build(own_name, operations, tensors, reads, "generations"))

    def to_json(self, format: str = "moccasin") -> str:
        """Write the graph as text.

        Parameters
        ----------
        format : {"moccasin", "node-link", "dot"}
            ``"node-link"`` can say less, and refuses a graph that needs more; ``"dot"`` is for a look.
        """
        return _core.graph_write(self._core, format).decode()

    def save(self, path: str | os.PathLike[str], format: str = "moccasin") -> None:
        """Write the graph to a file that the command line reads.

        Parameters
        ----------
        path : path-like
        format : {"moccasin", "node-link", "dot"}
        """
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.to_json(format))

    @property
    def name(self) -> str | None:
        """The graph's name."""
        return self._core.name()

    @cached_property
    def _tensor_rows(self) -> list[tuple[Name | None, int, int, int, bool]]:
        return self._core.tensors()

    @cached_property
    def _operation_rows(self) -> list[tuple[Name, str, int, int, bool, list[int], list[int]]]:
        return self._core.operations()

    def _tensor_name(self, number: int) -> Name:
        name = self._tensor_rows[number][0]
        return f"t{number}" if name is None else name

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """The operations, in the order in which they were added."""
        return tuple(
            Operation(
                name,
                duration,
                tuple(map(self._tensor_name, inputs)),
                tuple(map(self._tensor_name, outputs)),
                workspace,
                not once,
                None if label == str(name) else label,
            )
            for name, label, duration, workspace, once, inputs, outputs in self._operation_rows
        )

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors. One without a name is called ``t`` and its number."""
        return tuple(
            Tensor(self._tensor_name(number), size, None if base == NONE else self._tensor_name(base), keep)
            for number, (_, size, _, base, keep) in enumerate(self._tensor_rows)
        )

    @cached_property
    def input_order(self) -> tuple[Name, ...]:
        """The names of all operations, in the input order."""
        return tuple(self._operation_rows[op][0] for op in self._core.input_order())

    @cached_property
    def facts(self) -> Facts:
        """Peak and duration of the input order, and the least budget that can have a plan."""
        peak, step, duration, bound, op = self._core.facts()
        names = [row[0] for row in self._operation_rows]
        return Facts(peak, duration, bound, names[self._core.input_order()[step]], None if op == NONE else names[op])

    @cached_property
    def _numbers(self) -> dict[tuple[type, Name], int]:
        return {(type(row[0]), row[0]): number for number, row in enumerate(self._operation_rows)}

    def _number(self, name: Name) -> int:
        try:
            return self._numbers[type(name), name]
        except KeyError:
            raise _core.Error(f"there is no operation {name!r}") from None

    def evaluate(self, sequence: Iterable[Name]) -> tuple[int, int, list[int]]:
        """Work out what a sequence of computations costs.

        Parameters
        ----------
        sequence : iterable of int or str
            Names of operations; every operation at least once, each after what it reads.

        Returns
        -------
        duration : int
        peak_memory : int
            Bytes.
        memory : list of int
            Bytes resident at every step.
        """
        duration, peak, memory, _ = _core.evaluate(self._core, [self._number(name) for name in sequence])
        return duration, peak, memory

    def __len__(self) -> int:
        return self._core.counts()[0]

    def __repr__(self) -> str:
        operations, tensors, edges = self._core.counts()
        return f"<Graph {self.name or ''!s}: {operations} operations, {tensors} tensors, {edges} edges>"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Graph.from_json, (self.to_json(),))
