"""Every peer on small graphs: its plan is verified, within budget, never below the optimum, and optimal when it says so."""

import json

import pytest
from conftest import chain, node_link, optimum, random_graph

from field import graph, instances, training

# Of each: what its optimum is an optimum of. None: it proves nothing.
EXACT = {"moccasin": 2, "moccasin-default": 6, "cpsat": 2, "checkmate-highs": 6, "checkmate-scip": 6}
NEVER_BETTER = {"cpsat-log": 2, "checkmate-lp": 6}


def tight(data):
    """The smallest share of the peak, in percent, at which the graph of at most 6 nodes has a staged schedule, and its optima."""
    one, text = graph.of_node_link(data), json.dumps(data)
    for percent in range(40, 101):
        budget = -(-percent * one.base_peak // 100)
        if optimum(text, budget, 2) is not None:
            return percent, optimum(text, budget, 2), optimum(text, budget, 6)
    raise AssertionError


@pytest.mark.parametrize("seed", [3, 14, 18])
def test_exact_peers_agree_with_exhaustive_search(study, seed):
    data = random_graph(seed, 6)
    percent, two, any_number = tight(data)
    assert any_number > sum(node["duration"] for node in data["nodes"]), "the case has to need recomputation"
    path = study.write(data)
    for name, computes in EXACT.items():
        result = study.solve(name, path, percent)
        assert result["status"] == "optimal", result
        assert result["duration"] == (two if computes == 2 else any_number), (name, result)
        assert not result["rejected"] and result["peak"] <= result["budget"]
    for name, computes in NEVER_BETTER.items():
        result = study.solve(name, path, percent)
        assert not result["rejected"]
        if result["duration"] is not None:
            assert result["duration"] >= (two if computes == 2 else any_number), (name, result)
        if name == "checkmate-lp":
            assert result["bound"] <= any_number + 1e-3
            assert result["bound"] >= 0.5 * any_number


def test_settings_differ_where_three_computations_are_needed(study):
    # 0 is read by 1, 4 and 7; between them is what leaves no room for it, so it has to be computed three times.
    data = node_link([2, 9, 9, 9, 9, 9, 9, 9], [10, 1, 12, 1, 1, 12, 1, 1],
                     [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4), (4, 5), (5, 6), (6, 7), (0, 7)])
    path = study.write(data)
    percent = 14 * 100 // graph.of_node_link(data).base_peak
    for name in ("moccasin-default", "checkmate-highs", "checkmate-scip"):
        result = study.solve(name, path, percent)
        assert (result["status"], result["duration"]) == ("optimal", 2 * 3 + 9 * 7), (name, result)
    assert study.solve("cpsat", path, percent)["status"] == "infeasible"
    assert study.solve("moccasin", path, percent, seconds=1)["duration"] is None


@pytest.mark.parametrize("name", ["moccasin", "cpsat", "checkmate-highs", "checkmate-scip"])
def test_too_small_a_budget_is_proved_infeasible(study, name):
    path = study.write(node_link([1, 1, 1], [5, 5, 5], [(0, 1), (1, 2), (0, 2)]))
    result = study.solve(name, path, 60)
    assert result["status"] == "infeasible" and result["duration"] is None, result


@pytest.mark.parametrize("seed", [1, 2])
def test_fastsa_needs_no_recomputation_where_an_order_is_enough(study, seed):
    # Two branches: the input order interleaves them, which costs memory that the right order does not.
    data = node_link([2] * 7, [4, 9, 9, 1, 1, 1, 1], [(0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)])
    result = study.solve("fastsa", study.write(data), 80, seconds=0.5 + 0.1 * seed)
    assert result["duration"] == 14 and result["peak"] <= result["budget"], result


@pytest.mark.parametrize("seed", range(4))
def test_fastsa_recomputes_within_budget(study, seed):
    data = chain(4 + seed)
    result = study.solve("fastsa", study.write(data), 80, seconds=0.5)
    assert result["status"] == "feasible" and not result["rejected"], result
    assert result["duration"] > result["base_duration"] and result["peak"] <= result["budget"]


def test_fastsa_finds_the_optimum_of_a_chain(study):
    # In a chain there is one order, so its optimum is that of the staged schedules.
    data = chain(3)
    one, text = graph.of_node_link(data), json.dumps(data)
    budget = -(-85 * one.base_peak // 100)
    result = study.solve("fastsa", study.write(data), 85, seconds=1)
    assert result["duration"] == optimum(text, budget, 2), result


@pytest.mark.parametrize("name", ["chen-sqrt", "chen-greedy", "pytorch-dp", "pytorch-greedy"])
def test_rules_for_training(study, name):
    data = chain(12)
    result = study.solve(name, study.write(data), 80)
    best = study.solve("moccasin", study.write(data), 80, seconds=3)
    assert result["status"] == "feasible" and not result["rejected"], result
    assert result["base_duration"] < result["duration"] and result["peak"] <= result["budget"]
    assert best["duration"] <= result["duration"]
    layered = study.solve(name, instances.generated("layered-100", instances.OWN["layered-100"]), 80)
    assert layered["status"] == "not-applicable" and layered["duration"] is None, layered


def test_the_split_is_found_by_structure():
    one = graph.of_node_link(chain(9))
    part = training.split(one)
    assert part.loss == 9 and part.order == list(range(10)) and part.saved[:9] == list(range(9))
    for kind in ("vgg16", "unet", "resnet50", "gpt-2-blocks"):
        made = graph.load(instances.generated(kind, instances.OWN[kind]))
        found = training.split(made)
        assert found is not None, kind
        for v in range(made.n):
            name = made.ids[v]
            backward = "backward" in name or "grad" in name
            assert name == "loss" or found.forward[v] != backward, (kind, name)
    assert training.split(graph.load(instances.generated("layered-100", instances.OWN["layered-100"]))) is None


@pytest.mark.parametrize("saved", [(), (3,), (2, 5), tuple(range(9))])
def test_saved_activations_make_a_schedule_that_runs(saved):
    one = graph.of_node_link(chain(8))
    part = training.split(one)
    pairs = training.schedule(part, saved)
    assert {p for p, _ in pairs}.isdisjoint(saved)
    assert {p for p, _ in pairs} | set(saved) >= set(part.saved)
    one.evaluate(one.staged(pairs))  # raises if something is read before it is there
    if len(saved) == 9:
        assert one.evaluate(one.staged(pairs)) == (one.base_duration, one.base_peak)


def test_a_model_that_is_too_large_says_so(study):
    path = instances.generated("layered-1000", instances.OWN["layered-1000"])
    for name in ("checkmate-highs", "checkmate-scip", "checkmate-lp"):
        result = study.solve(name, path, 80, seconds=5)
        assert result["status"] == "too-large" and "binaries" in result["note"], result
