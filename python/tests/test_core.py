"""Graphs, plans and solves."""

import doctest
import inspect
import itertools
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

import moccasin
from moccasin import Error, Graph, Operation, Plan, Tensor

QUICK = {"moves": 2000, "threads": 1}


# --- Graphs ---


def test_facts_of_the_example(example):
    assert example.facts.baseline_peak == 11 and example.facts.peak_operation == "c"
    assert example.facts.baseline_duration == 8
    assert example.facts.working_set_bound == 8
    assert example.input_order == ("a", "b", "c", "d", "e")
    assert len(example) == 5


def test_content_comes_back():
    operations = [
        Operation("f", 3, ["x", "w"], ["y", "aux"], workspace=7, label="first"),
        Operation(2, 1, ["yv"], ["z"], recomputable=False),
    ]
    tensors = [Tensor("x", 10), Tensor("w", 4, keep=True), Tensor("y", 8), Tensor("aux", 2),
               Tensor("yv", 0, view_of="y"), Tensor("z", 1, keep=True)]
    graph = Graph(operations, tensors, name="g")
    assert graph.operations == (Operation("f", 3, ("x", "w"), ("y", "aux"), 7, True, "first"), Operation(2, 1, ("yv",), ("z",), 0, False))
    assert set(graph.tensors) == {Tensor("x", 10), Tensor("w", 4, None, True), Tensor("y", 8), Tensor("aux", 2),
                                  Tensor("yv", 0, "y"), Tensor("z", 1, None, True)}
    again = Graph.from_json(graph.to_json())
    assert again.operations == graph.operations and set(again.tensors) == set(graph.tensors) and again.name == "g"
    assert pickle.loads(pickle.dumps(graph)).operations == graph.operations


@pytest.mark.parametrize("operations, tensors, message", [
    ([Operation("a", 1, ["x"])], [], "not a tensor"),
    ([Operation("a", 1, outputs=["x"])], [], "not a tensor"),
    ([Operation("a", 1), Operation("a", 1)], [], "a"),
    ([Operation("a", 1, outputs=["x"]), Operation("b", 1, outputs=["x"])], [Tensor("x", 1)], "two operations"),
    ([Operation("a", 1)], [Tensor("x", 1), Tensor("x", 1)], "two tensors"),
    ([Operation("a", 1)], [Tensor("x", 0, view_of="y"), Tensor("y", 0, view_of="x")], "view of itself"),
    ([Operation("a", 1)], [Tensor("x", 0, view_of="y")], "not a tensor"),
    ([Operation("a", -1)], [], "negative"),
    ([Operation("a", 2**62), Operation("b", 2**62)], [], "2\\^62"),
    ([Operation("b", 1, ["x"]), Operation("a", 1, outputs=["x"])], [Tensor("x", 1)], "order|before"),
    ([], [], "operation"),
])
def test_bad_graphs_are_refused(operations, tensors, message):
    with pytest.raises(Error, match=message):
        Graph(operations, tensors)


@pytest.mark.parametrize("name", [1.5, None, ("a",)])
def test_names_are_ints_and_strs(name):
    with pytest.raises((TypeError, Error)):
        Graph([Operation(name, 1)], [])


def test_bad_json_names_its_place():
    with pytest.raises(Error) as caught:
        Graph.from_json('{"format": "moccasin-graph", "version": 1, "operations": [{"id": 1, "duration": -1}], "tensors": []}')
    assert caught.value.place == "operations[0].duration" and "operations[0].duration" in str(caught.value)
    with pytest.raises(Error) as caught:
        Graph.from_json("{\n  nonsense")
    assert caught.value.line == 2


def test_networkx():
    networkx = pytest.importorskip("networkx")
    given = networkx.DiGraph(name="nx")
    for node, duration, size in [("a", 1, 5), ("b", 4, 3), ("c", 1, 3), ("d", 1, 1), (5, 1, 1)]:
        given.add_node(node, cost=duration, bytes=size)
    given.add_edges_from([("a", "b"), ("b", "c"), ("c", "d"), ("a", 5), ("d", 5)])
    graph = Graph.from_networkx(given, duration="cost", size="bytes")
    assert graph.name == "nx" and graph.facts.baseline_peak == 11
    assert list(graph.input_order) == list(networkx.topological_sort(given))
    assert moccasin.solve(graph, 10, **QUICK).total_duration == 9
    with pytest.raises(Error, match="duration"):
        Graph.from_networkx(given)
    with pytest.raises(TypeError):
        Graph.from_networkx(given.to_undirected(), duration="cost", size="bytes")


def test_evaluate(example):
    assert example.evaluate(["a", "b", "c", "a", "d", "e"]) == (9, 9, [5, 8, 6, 8, 9, 7])
    with pytest.raises(Error, match="no operation"):
        example.evaluate(["a", "x"])
    with pytest.raises(Error):
        example.evaluate(["a"])


# --- Solving ---


def test_the_example_is_solved(example):
    plan = moccasin.solve(example, 10, **QUICK)
    assert plan and plan.total_duration == 9 and plan.peak_memory <= 10
    assert plan.tdi == pytest.approx(12.5)
    assert plan.rematerialized and plan.rematerialized[0][0] == "a"
    assert plan.verify().duration == 9
    assert max(plan.memory) == plan.peak_memory and len(plan.memory) == len(plan.sequence)
    assert plan.intervals[0].node == "a" and plan.intervals[0].tensor == "a" and plan.intervals[0].start == 0
    assert plan.lower_bound <= 9 and plan.trace[-1].total_duration == 9


def test_a_plan_is_the_shortest(example):
    """Against every sequence of up to seven steps."""
    best = {}
    for length in (5, 6, 7):
        for sequence in itertools.product("abcde", repeat=length):
            try:
                duration, peak, _ = example.evaluate(sequence)
            except Error:
                continue
            for budget in range(peak, 12):
                best[budget] = min(best.get(budget, 99), duration)
    for budget in range(8, 12):
        plan = moccasin.solve(example, budget, **QUICK)
        assert plan.lower_bound <= plan.total_duration
        if budget in best:
            assert plan.total_duration == best[budget], budget


def test_without_a_plan(example):
    plan = moccasin.solve(example, 7, **QUICK)
    assert not plan and plan.status == "infeasible" and plan.sequence == () and plan.memory == ()
    assert "infeasible" in repr(plan) and "infeasible" in plan._repr_html_()
    assert "no plan exists" in str(moccasin.NoPlan(plan))


def test_equal_solves_give_equal_files(layered):
    a, b = (moccasin.solve(layered, 0.9, moves=20000, threads=1, seed=7, time_limit=1e6) for _ in range(2))
    assert a.reproducible and a.to_json() == b.to_json()


@pytest.mark.parametrize("budget, bytes", [
    (10, 10), (0.5, 50), ("80%", 80), ("1.5kB", 1500), ("2KiB", 2048), ("7", 7), (1.0, 100), (0.005, 1), ("0.001kB", 1),
    ("0.0019 kb", 1), (True, TypeError), (0.0, ValueError), (1.5, ValueError), (-1, ValueError), ("x", ValueError),
    ("5XB", ValueError), ("0%", ValueError), ("1.5", ValueError), (None, TypeError), (float("nan"), ValueError),
])
def test_budgets(budget, bytes):
    if isinstance(bytes, int):
        assert moccasin.read_budget(budget, 100) == bytes
    else:
        with pytest.raises(bytes):
            moccasin.read_budget(budget, 100)


def test_a_share_rounds_up_in_decimal():
    assert moccasin.read_budget(0.8, 46319) == moccasin.read_budget("80%", 46319) == 37056
    assert moccasin.read_budget(0.1, 10) == 1  # the binary 0.1 is more than a tenth


# --- Options ---


def test_options_are_the_libraries(root):
    text = re.sub(r"/\*.*?\*/", "", (root / "src" / "options.def").read_text(), flags=re.DOTALL)
    rows = re.findall(r"MOC_OPTION\(\w+, (\w+),", text)
    assert list(moccasin.options()) == rows
    parameters = inspect.signature(moccasin.solve).parameters
    assert list(parameters)[3:] == rows
    for name, option in moccasin.options().items():
        assert parameters[name].default == option.default
        assert option.help[1:] in moccasin.solve.__doc__
    from moccasin._options import SolveOptions
    assert list(SolveOptions.__annotations__) == rows


def test_wrong_options(example):
    with pytest.raises(TypeError, match="did you mean time_limit"):
        moccasin.solve(example, 10, timelimit=3)
    with pytest.raises(ValueError, match="order"):
        moccasin.solve(example, 10, order="random")
    with pytest.raises(ValueError, match="threads"):
        moccasin.solve(example, 10, threads=-1)
    with pytest.raises(ValueError, match="threads"):
        moccasin.solve(example, 10, threads=2**32 + 1)
    with pytest.raises(TypeError):
        moccasin.solve(example, 10, threads="2")
    with pytest.raises(ValueError):
        moccasin.solve(example, 2**63)


# --- Progress, threads, signals ---


def test_progress(layered):
    seen = []
    plan = moccasin.solve(layered, 0.85, time_limit=1, progress=seen.append)
    assert seen and any(p.has_plan and p.improved for p in seen)
    assert min(p.total_duration for p in seen if p.has_plan) >= plan.total_duration
    assert all(a.seconds <= b.seconds for a, b in zip(seen, seen[1:]))


def test_an_exception_of_progress_ends_the_solve(layered):
    def fail(now):
        raise RuntimeError("enough")

    start = time.monotonic()
    with pytest.raises(RuntimeError, match="enough"):
        moccasin.solve(layered, 0.8, time_limit=60, progress=fail)
    assert time.monotonic() - start < 20


def test_progress_bar(layered, capsys):
    pytest.importorskip("tqdm")
    moccasin.solve(layered, 0.9, time_limit=0.5, progress=True)
    assert "TDI" in capsys.readouterr().err


def test_other_threads_run(layered):
    count, done = [0], threading.Event()

    def work():
        while not done.is_set():
            count[0] += 1
            time.sleep(0.005)

    thread = threading.Thread(target=work)
    thread.start()
    moccasin.solve(layered, 0.8, time_limit=1, threads=1)
    done.set()
    thread.join()
    assert count[0] > 20


CTRL_C = """
import moccasin, sys, threading, os, signal, time
graph = moccasin.Graph.from_file(sys.argv[1])
# Not before there is a plan: what comes out is to be the best so far.
sent = []
def interrupt(now):
    if now.has_plan and not sent:
        sent.append(True)
        os.kill(os.getpid(), signal.SIGINT)
start = time.monotonic()
plan = moccasin.solve(graph, 0.85, time_limit=600, progress=interrupt)
print(plan.status, plan.interrupted, time.monotonic() - start < 60)
plan.verify()
"""


def test_ctrl_c_returns_the_best_plan(root):
    done = subprocess.run([sys.executable, "-c", CTRL_C, str(root / "examples/graphs/layered-250.json")],
                          capture_output=True, text=True, timeout=120,
                          # tests that run in the background inherit an ignored Ctrl-C
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["feasible", "True", "True"]


def test_another_signals_exception_is_raised(layered):
    class Alarm(Exception):
        pass

    def handler(number, frame):
        raise Alarm

    old = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(Alarm):
            moccasin.solve(layered, 0.8, time_limit=60)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


# --- Files ---


def test_plans_come_back(example, tmp_path):
    plan = moccasin.solve(example, 10, **QUICK)
    plan.save(tmp_path / "plan.json")
    again = Plan.from_file(example, tmp_path / "plan.json")
    assert again.to_json() == plan.to_json() and again.sequence == plan.sequence and again.intervals == plan.intervals
    assert json.loads(plan.to_json())["format"] == "moccasin-plan"
    document = json.loads(plan.to_json())
    document["peak_memory"] = 1
    with pytest.raises(Error, match="peak_memory"):
        Plan.from_json(example, json.dumps(document)).verify()
    with pytest.raises(Error):
        Plan.from_json(example, '{"format": "moccasin-plan", "version": 1, "sequence": ["nobody"]}')


def test_files_are_the_command_lines(example, tmp_path, root):
    program = os.environ.get("MOCCASIN") or shutil.which("moccasin") or root / "build/release/bin/moccasin"
    if not os.access(program, os.X_OK):
        pytest.skip("there is no program moccasin: build it, or set MOCCASIN")
    example.save(tmp_path / "graph.json")
    moccasin.solve(example, 10, **QUICK).save(tmp_path / "plan.json")
    for command in (["verify", "graph.json", "plan.json", "--budget", "10"],
                    ["solve", "graph.json", "--budget", "10", "--moves", "2000", "--threads", "1", "-o", "cli.json"]):
        done = subprocess.run([program, *command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "cli.json").read_text() == (tmp_path / "plan.json").read_text()
    assert Plan.from_file(example, tmp_path / "cli.json").verify().duration == 9


def test_examples_load(root):
    for path in (root / "examples" / "graphs").glob("*.json"):
        graph = Graph.from_file(path)
        assert graph.facts.working_set_bound <= graph.facts.baseline_peak


# --- Pictures ---


def test_pictures(example):
    plan = moccasin.solve(example, 10, **QUICK)
    assert plan.to_svg().startswith("<svg") or "<svg" in plan.to_svg()
    assert "<svg" in plan._repr_html_() and "TDI" in plan._repr_html_()
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    axes = plan.plot()
    assert len(axes.patches) >= 2 and axes.get_legend() is not None
    without = moccasin.solve(example, 7, **QUICK)
    assert len(without.plot().patches) == 1


def test_doctests():
    import moccasin._graph
    failed, tried = doctest.testmod(moccasin._graph)
    assert tried > 0 and failed == 0
