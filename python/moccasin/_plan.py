"""Plans: what a solve found, as numbers, files and pictures."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from . import _core
from ._budget import show_bytes
from ._graph import Graph, Name

if TYPE_CHECKING:
    import matplotlib.axes


class Interval(NamedTuple):
    """How long one instance of a tensor stays in memory: from step `start` to step `end`, both included."""

    node: Name | None
    """The operation that computed it; None: an input or a parameter."""
    tensor: Name
    start: int
    end: int


class TracePoint(NamedTuple):
    """An improvement during a solve."""

    seconds: float
    total_duration: int
    lower_bound: int


class Verdict(NamedTuple):
    """The true figures of a plan, from code that shares nothing with the solver."""

    duration: int
    peak_memory: int
    peak_step: int
    baseline_peak_memory: int
    baseline_duration: int


class Plan:
    """A schedule within a budget, or the word that there is none.

    Made by `solve`, `from_json` and `from_file`. Without a plan (`status` ``"infeasible"`` or ``"unknown"``) `sequence`,
    `intervals` and `memory` are empty.
    """

    status: Literal["optimal", "feasible", "infeasible", "unknown"]
    """``optimal``: no shorter plan exists, in the sense of `bound_scope`; ``infeasible``: proved that none exists, in the
    sense of `bound_scope` too."""
    budget: int
    """Bytes."""
    peak_memory: int
    """Bytes; without a plan, the least peak that was seen."""
    baseline_peak_memory: int
    """Peak of the input order with nothing recomputed, bytes."""
    total_duration: int
    baseline_duration: int
    """The duration of every operation once."""
    lower_bound: int
    """A proven total duration, for what `bound_scope` says."""
    bound_scope: Literal["order", "any"]
    max_computes: int
    order: Literal["input", "auto"]
    seed: int
    threads: int
    moves: int
    solve_seconds: float
    reproducible: bool
    interrupted: bool
    """Ctrl-C ended the solve."""

    def __init__(self, graph: Graph, core: _core.Plan, interrupted: bool = False) -> None:
        self.graph = graph
        self._core = core
        for name, value in core.figures().items():
            setattr(self, name, value)
        self.interrupted = interrupted

    # --- Content ---

    def __bool__(self) -> bool:
        """Whether there is a schedule."""
        return self.status in ("optimal", "feasible")

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """The number of the operation that every step computes, as in ``graph.operations``."""
        return tuple(self._core.sequence())

    @cached_property
    def sequence(self) -> tuple[Name, ...]:
        """The name of the operation that every step computes."""
        names = [row[0] for row in self.graph._operation_rows]
        return tuple(names[op] for op in self.steps)

    @cached_property
    def rematerialized(self) -> tuple[tuple[Name, int], ...]:
        """The steps that compute an operation again: (its name, the step)."""
        seen: set[int] = set()
        again = []
        for step, op in enumerate(self.steps):
            if op in seen:
                again.append((self.sequence[step], step))
            seen.add(op)
        return tuple(again)

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """How long every instance of a tensor is resident."""
        rows, names = self.graph._tensor_rows, [row[0] for row in self.graph._operation_rows]
        return tuple(
            Interval(None if rows[t][2] < 0 else names[rows[t][2]], self.graph._tensor_name(t), start, end)
            for t, start, end in self._core.intervals()
        )

    @cached_property
    def memory(self) -> tuple[int, ...]:
        """Bytes resident at every step."""
        return tuple(self._core.memory())

    @cached_property
    def trace(self) -> tuple[TracePoint, ...]:
        """The improvements during the solve."""
        return tuple(TracePoint(*point) for point in self._core.trace())

    @property
    def tdi(self) -> float:
        """Total duration increase over every operation once, in percent."""
        return 100.0 * (self.total_duration - self.baseline_duration) / max(1, self.baseline_duration)

    @property
    def gap(self) -> float:
        """How far the proven lower bound is below the plan's duration, in percent of the latter."""
        return 100.0 * (self.total_duration - self.lower_bound) / max(1, self.total_duration)

    def verify(self) -> Verdict:
        """Check everything that the plan says, by code that shares nothing with the solver.

        Raises
        ------
        Error
            The first thing that is not true.
        """
        return Verdict(*_core.verify(self._core))

    # --- Files ---

    @classmethod
    def from_json(cls, graph: Graph, text: str | bytes) -> Plan:
        """Read a plan of `graph` from JSON text. `verify` judges whether it is true.

        Parameters
        ----------
        graph : Graph
        text : str or bytes
        """
        return cls(graph, _core.plan_read(graph._core, text.encode() if isinstance(text, str) else bytes(text)))

    @classmethod
    def from_file(cls, graph: Graph, path: str | os.PathLike[str]) -> Plan:
        """Read a plan of `graph` from a file of the command line.

        Parameters
        ----------
        graph : Graph
        path : path-like
        """
        with open(path, "rb") as file:
            return cls.from_json(graph, file.read())

    def to_json(self, with_times: bool = False) -> str:
        """Write the plan as the command line's JSON.

        Parameters
        ----------
        with_times : bool
            Times of a reproducible plan are written as 0, so that equal plans are equal texts, unless this is true.
        """
        return _core.plan_write(self._core, with_times).decode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the plan to a file that the command line reads.

        Parameters
        ----------
        path : path-like
        """
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.to_json())

    # --- Pictures ---

    def to_svg(self) -> str:
        """Draw memory over the schedule, before and after, against the budget, as SVG."""
        return _core.report_svg(self._core).decode()

    def plot(self, ax: matplotlib.axes.Axes | None = None) -> matplotlib.axes.Axes:
        """Draw memory over the schedule, before and after, against the budget, with matplotlib.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; the default is a new figure.

        Returns
        -------
        matplotlib.axes.Axes
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(9, 4), layout="constrained")
        durations = [row[2] for row in self.graph._operation_rows]

        def draw(steps: tuple[int, ...], memory: list[int], **style: Any) -> None:
            edges = [0]
            for op in steps:
                edges.append(edges[-1] + durations[op])
            ax.stairs([bytes / 2**20 for bytes in memory], edges, **style)

        order = self.graph._core.input_order()
        draw(tuple(order), _core.evaluate(self.graph._core, order)[2], color="0.6", label="input order")
        if self:
            draw(self.steps, list(self.memory), color="C0", fill=True, alpha=0.35)
            draw(self.steps, list(self.memory), color="C0", label=f"plan (TDI {self.tdi:.2f} %)")
        ax.axhline(self.budget / 2**20, color="C3", linestyle="--", label="budget")
        ax.set(xlabel="duration", ylabel="memory (MiB)", title=self.graph.name or "", ylim=(0, None))
        ax.legend(loc="best")
        return ax

    def __reduce__(self) -> tuple[Any, ...]:
        return (Plan.from_json, (self.graph, self.to_json(with_times=True)))

    def __repr__(self) -> str:
        if not self:
            return f"<Plan: {self.status}, budget {show_bytes(self.budget)}>"
        return (
            f"<Plan: {self.status}, peak {show_bytes(self.peak_memory)} of {show_bytes(self.budget)} "
            f"(was {show_bytes(self.baseline_peak_memory)}), TDI {self.tdi:.3f} %, "
            f"{len(self.rematerialized)} recomputed>"
        )

    def _repr_html_(self) -> str:
        rows = [
            ("Status", self.status),
            ("Budget", show_bytes(self.budget)),
            (
                "Peak",
                f"{show_bytes(self.baseline_peak_memory)} &rarr; {show_bytes(self.peak_memory)}" if self else "&ndash;",
            ),
            (
                "Duration",
                f"{self.baseline_duration} &rarr; {self.total_duration} (TDI {self.tdi:.3f} %)" if self else "&ndash;",
            ),
            ("Recomputed", f"{len(self.rematerialized)} times, {len(self.steps)} steps in all"),
            ("Lower bound", f"{self.lower_bound}, gap {self.gap:.2f} %" if self else str(self.lower_bound)),
        ]
        table = "".join(
            f"<tr><th style='text-align:left'>{name}</th><td style='text-align:left'>{value}</td></tr>"
            for name, value in rows
        )
        return f"<div><table>{table}</table>{self.to_svg() if self else ''}</div>"
