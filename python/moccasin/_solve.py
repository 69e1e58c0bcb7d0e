"""Solving: options from the library's own table, progress, Ctrl-C."""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _core
from ._budget import read_budget, show_bytes
from ._graph import Graph
from ._plan import Plan

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._options import SolveOptions


class NoPlan(RuntimeError):
    """No plan within the budget: proved impossible, or none found in time. `plan` has the status and the figures."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        bound = plan.graph.facts.working_set_bound
        if plan.budget < bound:
            reason = (
                f"no plan exists: operation {plan.graph.facts.working_set_operation!r} alone needs {show_bytes(bound)}"
                if plan.graph.facts.working_set_operation is not None
                else f"no plan exists: what is kept to the end needs {show_bytes(bound)}"
            )
        elif plan.status == "infeasible" and plan.bound_scope == "order":
            reason = (
                f"proved that none exists in the input order with at most {plan.max_computes} computations of an operation; "
                "a larger max_computes or order='auto' may help"
            )
        elif plan.status == "infeasible":
            reason = "no plan exists"
        else:
            reason = "none was found in time; a longer time_limit or a larger budget may help"
        super().__init__(f"no plan within {show_bytes(plan.budget)}: {reason}")


class Progress(NamedTuple):
    """How a solve is going."""

    seconds: float
    improved: bool
    """This call reports a new best plan; else it is a sign of life."""
    has_plan: bool
    """A plan within the budget is known: the next two are its."""
    total_duration: int
    peak_memory: int
    lower_bound: int
    least_peak: int
    """Without a plan: the least peak seen so far, bytes."""
    moves: int


class Option(NamedTuple):
    """An option of a solve: a row of the library's table."""

    name: str
    kind: str
    metavar: str
    default: Any
    low: Any
    high: Any
    help: str


def options() -> dict[str, Option]:
    """Return the options of a solve by name, from the table that also makes the command line's."""
    return {row[0]: Option(*row) for row in _core.OPTIONS}


def _check_names(given: dict[str, Any]) -> None:
    known = options()
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; the options are {', '.join(known)}"
            raise TypeError(f"solve() has no option {name}{hint}")


class _Bar:
    """A tqdm bar that fills with time, with the best plan beside it."""

    def __init__(self, time_limit: float, baseline_duration: int, budget: int) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            raise ImportError("progress=True needs tqdm: pip install tqdm") from None
        self.bar = tqdm(
            total=round(time_limit, 1),
            unit="s",
            bar_format="{l_bar}{bar}| {n:.1f}/{total:.0f} s{postfix}",
            desc="planning",
            file=sys.stderr,
        )
        self.base, self.budget = baseline_duration, budget
        self.drawn = -1.0

    def __call__(self, now: Progress) -> None:
        self.bar.n = min(now.seconds, self.bar.total)
        if now.has_plan:
            tdi = 100 * (now.total_duration - self.base) / max(1, self.base)
            gap = 100 * (now.total_duration - now.lower_bound) / max(1, now.total_duration)
            self.bar.set_postfix_str(
                f"TDI {tdi:.3f} %, gap {gap:.2f} %, peak {show_bytes(now.peak_memory)}", refresh=False
            )
        else:
            self.bar.set_postfix_str(f"no plan yet, least peak {show_bytes(now.least_peak)}", refresh=False)
        if now.seconds - self.drawn >= 0.1:
            self.drawn = now.seconds
            self.bar.refresh()


def solve(
    graph: Graph,
    budget: int | float | str,
    *,
    progress: bool | Callable[[Progress], None] = False,
    **options: Unpack[SolveOptions],
) -> Plan:
    _check_names(dict(options))
    bytes = read_budget(budget, graph.facts.baseline_peak)
    if bytes >= 2**63:
        raise ValueError("the budget is beyond 2^63 bytes")
    report: Callable[[Progress], None] | None = None
    bar: _Bar | None = None
    if progress is True:
        limit = options.get("time_limit", {row[0]: row[3] for row in _core.OPTIONS}["time_limit"])
        report = bar = _Bar(limit, graph.facts.baseline_duration, bytes)
    elif progress:
        report = progress
    try:
        core, interrupted = _core.solve(
            graph._core,
            bytes,
            dict(options),
            None if report is None else lambda *now, show=report: show(Progress(*now)),
        )
    finally:
        if bar is not None:
            bar.bar.close()
    return Plan(graph, core, interrupted)


def _describe(option: Option) -> str:
    kind = {"INT": "int", "UINT64": "int", "REAL": "float", "ORDER": '{"input", "auto"}'}.get(option.kind, option.kind)
    return (
        f"    {option.name} : {kind}, default {option.default!r}\n        {option.help[0].upper()}{option.help[1:]}.\n"
    )


solve.__doc__ = f"""Find the shortest schedule of a graph whose peak memory is within a budget.

    The lock of the interpreter is given up meanwhile. Ctrl-C ends the solve and returns the best plan so far, with
    `Plan.interrupted` set. Not finding a plan is a result, not an error: look at `Plan.status`, or at the plan's truth.

    Parameters
    ----------
    graph : Graph
    budget : int, float or str
        An int is bytes; a float in (0, 1] is a share of what the graph needs in its input order; a str is as on the
        command line, such as ``"12.5GiB"`` or ``"80%"``.
    progress : bool or callable
        True: a tqdm bar. A callable is called with a `Progress` at every new best plan and about ten times a second;
        an exception that it raises ends the solve.
{"".join(map(_describe, options().values()))}
    Returns
    -------
    Plan

    Examples
    --------
    >>> plan = solve(graph, 0.8, time_limit=10)
    >>> plan.sequence, plan.peak_memory, plan.tdi
    """

solve.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [
        inspect.Parameter("graph", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Graph),
        inspect.Parameter("budget", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation="int | float | str"),
        inspect.Parameter("progress", inspect.Parameter.KEYWORD_ONLY, default=False, annotation="bool | Callable"),
        *(
            inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=option.default)
            for option in options().values()
        ),
    ],
    return_annotation=Plan,
)
