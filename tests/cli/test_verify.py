"""Verifying plans: what is true passes, and every lie is found."""

import json
import pathlib

import pytest

from conftest import EXAMPLE

GRAPHS = pathlib.Path(__file__).resolve().parents[2] / "examples" / "graphs"


# By hand: at "d", both "c" and the second "a" are in memory, which is the peak.
PLAN = {
    "format": "moccasin-plan", "version": 1, "graph": "example", "nodes": 5, "status": "feasible", "budget": 10,
    "peak_memory": 9, "baseline_peak_memory": 11, "total_duration": 9, "baseline_duration": 8, "lower_bound": 8,
    "bound_scope": "any", "max_computes": 2, "order": "input", "seed": 1, "threads": 1, "solve_seconds": 0.5,
    "sequence": ["a", "b", "c", "a", "d", "e"],
    "rematerialized": [{"node": "a", "step": 3}],
    "intervals": [
        {"node": "a", "start": 0, "end": 1}, {"node": "b", "start": 1, "end": 2}, {"node": "c", "start": 2, "end": 4},
        {"node": "a", "start": 3, "end": 5}, {"node": "d", "start": 4, "end": 5}, {"node": "e", "start": 5, "end": 5}],
    "memory": [5, 8, 6, 8, 9, 7],
    "trace": [],
}


@pytest.fixture
def solved(example):
    example.write("plan.json", PLAN)
    return example


def test_valid(solved):
    r = solved.run("verify", "graph.json", "plan.json")
    assert r.status == 0 and r.err == ""
    for words in ("valid", "9 bytes", "10 bytes", "TDI 12.5 %"):
        assert words in r.out, words


def test_json(solved):
    answer = solved.run("verify", "graph.json", "plan.json", "--json").json()
    assert answer["valid"] is True and answer["steps"] == 6 and answer["recomputed"] == 1
    assert answer["peak_memory"] == 9 and answer["baseline_peak_memory"] == 11 and answer["tdi_percent"] == 12.5


def test_standard_input(solved):
    graph = (solved.path / "graph.json").read_bytes()
    plan = (solved.path / "plan.json").read_bytes()
    assert solved.run("verify", "-", "plan.json", stdin=graph).status == 0
    assert solved.run("verify", "graph.json", "-", stdin=plan).status == 0


def test_budget(solved):
    assert solved.run("verify", "graph.json", "plan.json", "--budget", "9").status == 0
    assert solved.run("verify", "graph.json", "plan.json", "--budget", "81%").status == 0
    r = solved.run("verify", "graph.json", "plan.json", "--budget", "8")
    assert r.status == 1 and "the peak is 9 bytes at step" in r.err and "--budget of 8 bytes" in r.err


def test_a_bare_sequence_is_enough(solved):
    solved.write("bare.json", {"format": "moccasin-plan", "version": 1, "sequence": ["a", "b", "c", "d", "e"]})
    r = solved.run("verify", "graph.json", "bare.json")
    assert r.status == 0 and "11 bytes" in r.out
    assert solved.run("verify", "graph.json", "bare.json", "-b", "10").status == 1


LIES = {
    "peak": ({"peak_memory": 8}, ["peak", "8", "9"]),
    "duration": ({"total_duration": 8}, ["total_duration", "8", "9"]),
    "budget": ({"budget": 5}, ["budget|peak", "5", "9"]),
    "bound": ({"lower_bound": 10}, ["lower_bound|bound", "10", "9"]),
    "baseline peak": ({"baseline_peak_memory": 12}, ["baseline_peak_memory", "12", "11"]),
    "baseline duration": ({"baseline_duration": 7}, ["baseline_duration", "7", "8"]),
    "memory": ({"memory": [5, 8, 6, 8, 9, 1]}, ["memory"]),
    "intervals": ({"intervals": PLAN["intervals"][:-1] + [{"node": "e", "start": 4, "end": 5}]}, ["intervals"]),
    "status": ({"status": "optimal"}, ["status"]),
    "missing operation": ({"sequence": ["a", "b", "c", "d"]}, ["e"]),
    "read too early": ({"sequence": ["b", "a", "c", "d", "e"]}, ["a|b"]),
    "empty sequence": ({"sequence": []}, []),
    "unknown operation": ({"sequence": ["a", "b", "c", "d", "zz"]}, ["zz"]),
}


@pytest.mark.parametrize("name", LIES)
def test_lie(solved, name):
    change, expected = LIES[name]
    solved.write("plan.json", {**solved.load("plan.json"), **change})
    r = solved.run("verify", "graph.json", "plan.json", "--json")
    assert r.status == 1, r
    assert r.err.startswith("moccasin: plan.json: ")
    for words in expected:
        assert any(word in r.err for word in words.split("|")), (words, r)
    answer = r.json()
    assert answer["valid"] is False and answer["reason"]
    assert solved.run("verify", "graph.json", "plan.json").status == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": "moccasin-plan", "version": 1}',
                                  '{"format": "moccasin-plan", "version": 2, "sequence": ["a"]}',
                                  '{"format": "moccasin-plan", "version": 1, "sequence": 3}', "nonsense"])
def test_not_a_plan(solved, text):
    solved.write("plan.json", text)
    r = solved.run("verify", "graph.json", "plan.json")
    assert r.status == 2 and r.out == "" and "moccasin: plan.json:" in r.err
    assert "hint: was this plan made for" not in r.err


def test_no_plan_in_it(solved):
    for status in ("infeasible", "unknown"):
        document = {"format": "moccasin-plan", "version": 1, "sequence": [], "status": status, "budget": 3}
        solved.write("none.json", document)
        r = solved.run("verify", "graph.json", "none.json", "--json")
        assert r.status == 2 and "the file holds no plan" in r.err and r.json()["valid"] is False, r
    told = solved.run("solve", "graph.json", "--budget", "3", "--json")
    solved.write("none.json", told.out)
    r = solved.run("verify", "graph.json", "none.json")
    assert r.status == 2 and r.out == "" and "its status is infeasible" in r.err, r


def test_truncated_anywhere(solved):
    text = (solved.path / "plan.json").read_bytes().rstrip()
    for length in range(0, len(text), 11):
        r = solved.run("verify", "graph.json", "-", stdin=text[:length])
        assert r.status == 2 and "standard input:" in r.err, (length, r)


def test_missing_plan(solved):
    r = solved.run("verify", "graph.json", "none.json")
    assert r.status == 1 and "none.json" in r.err


def test_bound(solved):
    solved.run("solve", "graph.json", "--budget", "10", "--threads", "1", "--moves", "2000", "-o", "proved.json")
    r = solved.run("verify", "graph.json", "proved.json", "--bound")
    assert r.status == 0 and "Certified   9 (TDI 12.5 %)" in r.out, r
    assert "no shorter plan exists in the input order" in r.out
    assert solved.run("verify", "graph.json", "proved.json", "--bound", "--json").json()["certified_bound"] == 9
    assert solved.run("verify", "graph.json", "proved.json", "--json").json()["certified_bound"] is None

    plan = json.loads((solved.path / "proved.json").read_text())
    plan["certificate"]["bound"] = 10
    solved.write("tampered.json", plan)
    r = solved.run("verify", "graph.json", "tampered.json", "--bound")
    assert r.status == 1 and "certificate" in r.err and "it proves" in r.err, r
    assert solved.run("verify", "graph.json", "tampered.json").status == 0  # nobody asked for the bound


def test_bound_without_certificate(solved):
    r = solved.run("verify", "graph.json", "plan.json", "--bound")
    assert r.status == 0 and "Certified   8 (TDI 0 %), as every operation runs at least once" in r.out, r
    assert "no shorter plan" not in r.out
    solved.write("claims.json", PLAN | {"lower_bound": 9})
    r = solved.run("verify", "graph.json", "claims.json", "--bound")
    assert r.status == 1 and "the plan has none" in r.err, r
    solved.run("solve", "graph.json", "--budget", "100%", "--order", "auto", "-o", "whole.json")
    r = solved.run("verify", "graph.json", "whole.json", "--bound")
    assert r.status == 0 and "no shorter plan exists, in any order" in r.out, r


@pytest.mark.parametrize("order, moves", [("auto", 2000), ("input", 210000)])  # a single thread proves after 200,000
def test_bound_over_all_orders_of_a_large_graph(work, order, moves):
    """Beyond 20,000 operations it is the best for the input order, too."""
    work.run("generate", "transformer", "--layers", "470", "-o", "large.json")
    r = work.run("solve", "large.json", "--budget", "70%", "--order", order, "--threads", "1", "--moves", str(moves), "-o", "plan.json")
    assert r.status == 0, r
    plan = json.loads((work.path / "plan.json").read_text())
    assert plan["nodes"] > 20000 and plan["certificate"]["kind"] == "cut", plan["certificate"]["kind"]
    assert plan["bound_scope"] == ("any" if order == "auto" else "order")
    assert 1.03 * plan["baseline_duration"] < plan["lower_bound"] <= plan["total_duration"]
    r = work.run("verify", "large.json", "plan.json", "--bound", "--json")
    assert r.status == 0 and r.json()["certified_bound"] == plan["lower_bound"], r
    plan["certificate"]["weights"][0]["weight"] *= 2
    work.write("tampered.json", plan)
    r = work.run("verify", "large.json", "tampered.json", "--bound")
    assert r.status == 1 and "it proves" in r.err, r


def two_peaks():
    """The worked example twice, one after the other: each needs a run of its own, which a cut at one moment does not see."""
    nodes, links = [], []
    for part in range(2):
        first = 5 * part
        nodes += [{"id": first + i, "duration": d, "out_cost": m} for i, (d, m) in enumerate([(1, 5), (4, 3), (1, 3), (1, 1), (1, 1)])]
        links += [{"source": first + a, "target": first + b} for a, b in [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)]]
    return {"directed": True, "multigraph": False, "graph": {}, "nodes": nodes, "links": links + [{"source": 4, "target": 5}]}


def test_certificates_of_all_kinds(work):
    """Written, read and proved again; with a larger share, or for a smaller budget, they prove something else."""
    graph = GRAPHS / "layered-100.json"
    arguments = ("--budget", "80%", "--threads", "1", "--moves", "3000")
    work.run("solve", str(graph), "--max-computes", "2", *arguments, "-o", "tree.json")
    work.run("solve", str(graph), "--budget", "70%", *arguments[2:-1], "200", "-o", "order.json")
    work.run("solve", str(GRAPHS / "unet.json"), *arguments, "--order", "auto", "-o", "cut.json")
    two = work.write("two.json", two_peaks())
    work.run("solve", "two.json", "--budget", "10", "--order", "auto", "--threads", "1", "--moves", "3000", "-o", "any.json")
    written = ((graph, "order.json", "retention"), (graph, "tree.json", "branching"), (GRAPHS / "unet.json", "cut.json", "cut"),
               (two, "any.json", "any-order"))
    for path, name, kind in written:
        plan = json.loads((work.path / name).read_text())
        assert plan["certificate"]["kind"] == kind
        r = work.run("verify", str(path), name, "--bound", "--json")
        assert r.status == 0 and r.json()["certified_bound"] == plan["certificate"]["bound"] > plan["baseline_duration"], r

    plan = json.loads((work.path / "tree.json").read_text())
    assert plan["status"] == "optimal" and plan["certificate"]["bound"] == plan["total_duration"]
    assert work.run("verify", str(graph), "tree.json", "--bound", "--json").json()["certified_optimal"] is True
    plan["certificate"]["branches"].append(0)
    work.write("tampered.json", plan)
    r = work.run("verify", str(graph), "tampered.json", "--bound")
    assert r.status == 1 and "it has branches that belong to none" in r.err, r
    del plan["certificate"]["branches"]
    work.write("tampered.json", plan)
    r = work.run("verify", str(graph), "tampered.json", "--bound")
    assert r.status == 1 and "certificate.branches" in r.err, r

    plan = json.loads((work.path / "order.json").read_text())
    plan["certificate"]["shares"][0]["share"] = 2 ** 20 + 1
    work.write("tampered.json", plan)
    r = work.run("verify", str(graph), "tampered.json", "--bound")
    assert r.status == 1 and "more than a whole" in r.err, r
    plan["certificate"]["kind"] = "none"
    work.write("tampered.json", plan)
    r = work.run("verify", str(graph), "tampered.json", "--bound")
    assert r.status == 1 and 'expected "covering", "retention", "any-order", "branching" or "cut"' in r.err, r
    del plan["certificate"]["shares"]
    plan["certificate"]["kind"] = "retention"
    work.write("tampered.json", plan)
    r = work.run("verify", str(graph), "tampered.json", "--bound")
    assert r.status in (1, 2) and "shares" in r.err, r
