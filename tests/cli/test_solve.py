"""Solving: answers, exit statuses 0, 3 and 4, what is written where."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from conftest import EXAMPLE, QUICK, ROOT, node_link

CHECKER = ROOT.parent / "shared/tools/check_plan.py"

# Member: type, after the plan file's description.
MEMBERS = {
    "format": str, "version": int, "graph": str, "nodes": int, "status": str, "budget": int, "peak_memory": int,
    "baseline_peak_memory": int, "total_duration": int, "baseline_duration": int, "lower_bound": int, "bound_scope": str,
    "max_computes": int, "order": str, "seed": int, "threads": int, "solve_seconds": (int, float), "sequence": list,
    "rematerialized": list, "intervals": list, "memory": list, "trace": list,
}


def check_members(plan):
    for name, kind in MEMBERS.items():
        assert name in plan, name
        assert isinstance(plan[name], kind), name
    assert plan["format"] == "moccasin-plan" and plan["version"] == 1
    assert plan["bound_scope"] in ("order", "any") and plan["order"] in ("input", "auto")


def check_by_arbiter(work, graph, plan):
    if not CHECKER.exists():
        pytest.skip(f"{CHECKER} is not there")
    done = subprocess.run([sys.executable, CHECKER, work.path / graph, work.path / plan], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_example(example):
    r = example.run("solve", "graph.json", "--budget", "10", "-o", "plan.json", *QUICK)
    assert r.status == 0
    assert example.files() == ["graph.json", "plan.json"]
    plan = example.load("plan.json")
    check_members(plan)
    assert plan["graph"] == "example" and plan["nodes"] == 5 and plan["budget"] == 10
    assert plan["status"] in ("optimal", "feasible")
    assert plan["baseline_peak_memory"] == 11 and plan["baseline_duration"] == 8
    assert plan["peak_memory"] in (8, 9) and plan["total_duration"] == 9 and 8 <= plan["lower_bound"] <= 9
    assert plan["sequence"] == ["a", "b", "c", "a", "d", "e"] or plan["sequence"] == ["a", "b", "c", "d", "a", "e"]
    assert len(plan["memory"]) == 6 and max(plan["memory"]) == plan["peak_memory"]
    assert plan["rematerialized"] == [{"node": "a", "step": plan["sequence"].index("a", 1)}]
    for word in ("example", f"11 bytes -> {plan['peak_memory']} bytes", "8 -> 9 (TDI 12.5 %)", "1 time", plan["status"], "plan.json"):
        assert word in r.out, (word, r)
    verdict = example.run("verify", "graph.json", "plan.json", "--json")
    assert verdict.status == 0 and verdict.json()["peak_memory"] == plan["peak_memory"]


def test_arbiter_accepts(example):
    assert example.run("solve", "graph.json", "-b", "90%", "-o", "plan.json", *QUICK).status == 0
    assert check_by_arbiter(example, "graph.json", "plan.json")["duration"] == 9


def test_nothing_to_do_is_optimal(example):
    r = example.run("solve", "graph.json", "-b", "100%", "--json")
    assert r.status == 0
    plan = r.json()
    assert plan["status"] == "optimal" and plan["total_duration"] == 8 == plan["lower_bound"]
    assert plan["rematerialized"] == []


def test_standard_input(example):
    text = json.dumps(EXAMPLE).encode()
    r = example.run("solve", "-", "-b", "10", "--json", *QUICK, stdin=text)
    assert r.status == 0 and r.json()["total_duration"] == 9


def test_json_goes_with_a_file(example):
    r = example.run("solve", "graph.json", "-b", "10", "--json", "-o", "plan.json", *QUICK)
    assert r.status == 0
    check_members(r.json())
    assert r.json()["sequence"] == example.load("plan.json")["sequence"]


def test_plan_to_standard_output(example):
    for more in ([], ["--json"]):
        r = example.run("solve", "graph.json", "-b", "10", "-o", "-", *QUICK, *more)
        assert r.status == 0
        check_members(r.json())
    assert example.files() == ["graph.json"]


def test_one_operation(work):
    work.write("graph.json", node_link([(7, 3, 12)], []))
    r = work.run("solve", "graph.json", "-b", "12", "-o", "plan.json", "--report", "plan.svg", "--quiet")
    assert r.status == 0 and r.err == ""
    plan = work.load("plan.json")
    assert plan["sequence"] == [7] and plan["status"] == "optimal" and plan["memory"] == [12]
    xml.etree.ElementTree.parse(work.path / "plan.svg")


def test_infeasible(example):
    r = example.run("solve", "graph.json", "-b", "8", "-o", "plan.json", "--report", "plan.svg", *QUICK)
    assert r.status == 0
    r = example.run("solve", "graph.json", "-b", "7", "-o", "none.json", "--report", "none.svg", timeout=5)
    assert r.status == 3 and r.out == ""
    assert "no plan exists" in r.err and "--budget 8" in r.err and '"b"' in r.err
    assert example.files() == ["graph.json", "plan.json", "plan.svg"]


def test_infeasible_above_the_working_set(work):
    graph = ROOT / "examples" / "graphs" / "resnet50.json"
    info = work.run("info", graph, "--json").json()
    budget = info["baseline_peak_memory"] * 15 // 100
    assert budget > info["working_set_bound"]
    r = work.run("solve", graph, "-b", budget, "-o", "none.json", "--threads", 1, "--quiet", timeout=120)
    assert r.status == 3 and work.files() == []
    assert "no plan exists" in r.err and '"layer1.2.relu3.backward" cannot be computed' in r.err
    r = work.run("solve", graph, "-b", budget, "--threads", 1, "--json", timeout=120)
    assert r.status == 3 and r.json()["obstacle"] == "layer1.2.relu3.backward"


def test_infeasible_in_the_input_order(work):
    assert work.run("generate", "layered", "--nodes", 30, "--seed", 37, "-o", "graph.json").status == 0
    command = ["solve", "graph.json", "-b", "70%", "-o", "plan.json", "--threads", 2, "--quiet"]
    r = work.run(*command, "--max-computes", 2, timeout=30)
    assert r.status == 3 and work.files() == ["graph.json"]
    assert "in the input order with at most 2 computations" in r.err and "--order auto" in r.err
    r = work.run(*command, "--max-computes", 2, "--json", timeout=30)
    assert r.status == 3 and r.json()["status"] == "infeasible" and r.json()["bound_scope"] == "order" and r.json()["obstacle"] is None
    assert work.run(*command, timeout=30).status == 0


def test_infeasible_as_json(example):
    r = example.run("solve", "graph.json", "-b", "7", "--json")
    assert r.status == 3
    answer = r.json()
    assert answer["status"] == "infeasible" and answer["sequence"] == [] and answer["total_duration"] is None
    assert answer["working_set_bound"] == answer["smallest_budget"] == 8 and answer["working_set_node"] == "b"
    assert answer["obstacle"] == "b" and answer["bound_scope"] == "any" and answer["least_peak_seen"] is None
    assert answer["lower_bound"] >= 8


def test_integer_ids_stay_integers(work):
    work.write("graph.json", node_link([(1, 1, 5), (2, 1, 5)], [(1, 2)]))
    r = work.run("solve", "graph.json", "-b", "9", "--json")
    assert r.status == 3 and r.json()["working_set_node"] == 2


def test_unknown(layered):
    r = layered.run("solve", "graph.json", "-b", "45%", "--max-computes", "3", "--time-limit", "0.3", "-o", "plan.json")
    assert r.status == 4 and r.out == ""
    assert "none was excluded" in r.err and "--time-limit" in r.err and "--max-computes" in r.err
    assert "--order auto" in r.err and "The least peak seen" in r.err
    assert layered.files() == ["graph.json"]


def test_unknown_as_json(layered):
    r = layered.run("solve", "graph.json", "-b", "45%", "--max-computes", "3", "--time-limit", "0.3", "--json")
    assert r.status == 4
    answer = r.json()
    assert answer["status"] == "unknown" and answer["sequence"] == [] and answer["peak_memory"] is None
    assert answer["least_peak_seen"] > answer["budget"] > answer["smallest_budget"]


def test_a_plan_from_before_stays_when_there_is_none(example):
    example.write("plan.json", "precious")
    assert example.run("solve", "graph.json", "-b", "7", "-o", "plan.json").status == 3
    assert (example.path / "plan.json").read_text() == "precious"


def test_same_input_same_bytes(layered):
    options = ["-b", "92%", "--threads", "1", "--seed", "7", "--moves", "20000", "--quiet"]
    for name in ("first.json", "second.json"):
        r = layered.run("solve", "graph.json", *options, "-o", name)
        assert r.status == 0, r
    first = (layered.path / "first.json").read_bytes()
    assert first == (layered.path / "second.json").read_bytes()
    assert layered.run("verify", "graph.json", "first.json").status == 0


def test_time_limit(layered):
    r = layered.run("solve", "graph.json", "-b", "80%", "--time-limit", "0.5", "--json", "-o", "plan.json", timeout=10)
    assert r.status == 0, r
    plan = r.json()
    assert plan["status"] == "feasible" and plan["solve_seconds"] < 3
    check_members(plan)
    assert layered.run("verify", "graph.json", "plan.json", "--budget", "80%").status == 0
    assert [p["total_duration"] for p in plan["trace"]] == sorted((p["total_duration"] for p in plan["trace"]), reverse=True)


def test_large_report_stays_small(work):
    graph = node_link([(i, 1, 1 + i * 7919 % 1000) for i in range(20000)], [(i, i + 1) for i in range(19999)])
    graph["graph"]["name"] = "<angle> & \"quote\" \x01 \uffff " + "é" * 100
    work.write("graph.json", graph)
    r = work.run("solve", "graph.json", "-b", "100%", "--report", "r.svg", "--time-limit", "2")
    assert r.status == 0, r
    assert (work.path / "r.svg").stat().st_size < 500_000
    tree = xml.etree.ElementTree.parse(work.path / "r.svg")
    assert tree.getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert "<angle> & \"quote\" ? ? éé" in " ".join(tree.getroot().itertext())


def test_report(example):
    assert example.run("solve", "graph.json", "-b", "10", "--report", "r.svg", *QUICK).status == 0
    text = " ".join(xml.etree.ElementTree.parse(example.path / "r.svg").getroot().itertext())
    for words in ("example", "Budget 10 bytes", "12.5 %", "before: peak 11 bytes", "after: peak ", "recomputed: 1 step"):
        assert words in text, words
    assert "script" not in (example.path / "r.svg").read_text()
