"""``python -m moccasin model.onnx --budget 60% -o out.onnx``: make an ONNX model that runs within a budget."""

from __future__ import annotations

import argparse
import os
import sys

from . import NoPlan, options, solve
from ._budget import show_bytes

TYPES = {"INT": int, "UINT64": int, "REAL": float}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m moccasin",
        description="Write an ONNX model that computes the same within a memory budget.",
        epilog="Exit status: 0 a model was written; 1 input or output failed; 2 bad usage or a model that cannot be planned; "
        "3 proved that no plan exists; 4 none found in time. Ctrl-C ends the search with the best plan so far. "
        "To plan graphs in JSON, use the program moccasin.",
    )
    parser.add_argument("model", help="an ONNX model")
    parser.add_argument(
        "--budget",
        required=True,
        help="bytes, with a unit (12.5GiB, 800MB), or a share of what the model needs as it is (60%%)",
    )
    parser.add_argument("-o", "--output", required=True, metavar="OUT.onnx", help="where to write the model")
    parser.add_argument("--plan", metavar="PLAN.json", help="write the plan too")
    parser.add_argument(
        "--graph", metavar="GRAPH.json", help="write the graph that was planned, for the program moccasin"
    )
    parser.add_argument(
        "--dimension",
        action="append",
        default=[],
        metavar="NAME=N",
        help="the value of a named dimension of the inputs",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress")
    for option in options().values():
        choices = option.metavar.split("|") if option.kind == "ORDER" else None
        parser.add_argument(
            "--" + option.name.replace("_", "-"),
            type=TYPES.get(option.kind, str),
            choices=choices,
            metavar=None if choices else option.metavar,
            help=f"{option.help.replace('%', '%%')} (default {option.default})",
        )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    dimensions = {}
    for text in given.dimension:
        name, _, value = text.partition("=")
        if not value.isdigit():
            parser.error(f"--dimension is NAME=N, not {text}")
        dimensions[name] = int(value)
    chosen = {name: getattr(given, name) for name in options() if getattr(given, name) is not None}
    try:
        from google.protobuf.message import DecodeError

        from . import onnx as moccasin_onnx
        from .onnx._plan import write
    except ImportError as error:
        print(f"error: {error}; pip install onnx", file=sys.stderr)
        return 1
    try:
        source = moccasin_onnx.Model(given.model, dimensions)
        if given.graph:
            source.graph.save(given.graph)
        progress = not given.quiet and sys.stderr.isatty()
        plan = solve(source.graph, given.budget, progress=progress, **chosen)
        planned = write(source, plan)
        temporary = f"{given.output}.{os.getpid()}.tmp"
        planned.save(temporary)
        os.replace(temporary, given.output)
        if given.plan:
            plan.save(given.plan)
    except NoPlan as error:
        print(f"error: {error}", file=sys.stderr)
        return 3 if error.plan.status == "infeasible" else 4
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except DecodeError:
        print(f"error: {given.model} is not an ONNX model", file=sys.stderr)
        return 2
    except (ValueError, TypeError) as error:
        print(f"error: {given.model}: {error}", file=sys.stderr)
        return 2
    print(f"Model       {given.model}: {len(source.graph)} operations")
    print(f"Budget      {show_bytes(plan.budget)}")
    print(f"Peak        {show_bytes(plan.baseline_peak_memory)} -> {show_bytes(plan.peak_memory)}")
    print(f"Duration    {plan.baseline_duration} -> {plan.total_duration} (TDI {plan.tdi:.3f} %)")
    print(f"Recomputed  {len(plan.rematerialized)} times, {len(planned.model.graph.node)} nodes in all")
    print(f"Status      {plan.status}")
    print(f"Written     {given.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
