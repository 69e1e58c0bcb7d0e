"""Plans stay as good as they are: the best of three seeds at a fixed number of moves, never time. The same moves are made
everywhere but for the last bits of exp and log, so limits are a little above what was measured."""

import os
import pathlib

import pytest

GRAPHS = pathlib.Path(__file__).resolve().parents[2] / "examples" / "graphs"
MOVES = 100_000
# Graph, budget, order, and the most that may be added to the duration, in percent of it.
LIMITS = [
    ("layered-100", "70%", "input", 9.5),
    ("layered-250", "80%", "input", 2.9),
    ("layered-1000", "80%", "input", 3.1),
    ("resnet50", "50%", "input", 8.5),
    ("unet", "60%", "input", 3.3),
    ("gpt", "50%", "input", 7.2),
    ("vgg16", "85%", "input", 0.8),
    ("layered-250", "60%", "auto", 12.5),  # from 7 to 14, by where phase 1 ends; the mean of ten seeds is 10 to 12
    ("layered-1000", "70%", "auto", 4.6),
    ("resnet50", "30%", "auto", 18.0),
]


def solve(work, graph, budget, order, seed, moves, *more):
    return work.run("solve", graph, "--budget", budget, "--order", order, "--threads", 1, "--seed", seed, "--moves", moves,
                    "--prove", 0, "-o", "plan.json", "--quiet", "--json", *more, timeout=280)


@pytest.mark.parametrize("graph, budget, order, limit", LIMITS)
def test_plans_are_as_good_as_they_were(work, graph, budget, order, limit):
    best = None
    for seed in (1, 2, 3):
        done = solve(work, GRAPHS / f"{graph}.json", budget, order, seed, MOVES)
        assert done.status == 0, done
        plan = done.json()
        added = 100 * (plan["total_duration"] / plan["baseline_duration"] - 1)
        best = added if best is None else min(best, added)
    assert best <= limit


def seeds_with_a_plan(work, budget, moves, seeds, most):
    """How many of the seeds find a plan, none longer than `most` times the input order, for graph.json; all are verified."""
    found = 0
    for seed in seeds:
        done = solve(work, "graph.json", budget, "auto", seed, moves, "--time-limit", 250)
        if done.status != 0:
            continue
        found += 1
        assert done.json()["total_duration"] <= most * done.json()["baseline_duration"]
        assert work.run("verify", "graph.json", "plan.json").status == 0
    return found


@pytest.mark.skipif("/asan/" in os.environ.get("MOCCASIN", ""), reason="eight million moves take minutes with AddressSanitizer")
def test_a_dense_graph_of_2000_operations_gets_a_plan(work):
    """A budget that phase 1 reaches by schedules with care and descents from nothing; without them not in four times as many moves."""
    assert work.run("generate", "layered", "--nodes", 2000, "-o", "graph.json").status == 0
    assert seeds_with_a_plan(work, "72%", 2_000_000, (1, 2, 3, 4), 1.2) >= 2


@pytest.mark.skipif("/asan/" in os.environ.get("MOCCASIN", ""), reason="it takes minutes with AddressSanitizer")
def test_care_finds_a_plan_of_3000_operations_soon(work):
    """Beginning with a greedy descent two of these seeds found one in as many moves."""
    assert work.run("generate", "layered", "--nodes", 3000, "--seed", 8, "-o", "graph.json").status == 0
    assert seeds_with_a_plan(work, "74%", 200_000, (1, 2, 3, 4, 5, 6), 1.25) >= 3


@pytest.mark.skipif("/asan/" in os.environ.get("MOCCASIN", ""), reason="six million moves take minutes with AddressSanitizer")
def test_a_budget_that_squeezes_miss_gets_a_plan(work):
    """Three of four seeds had none within it before schedules were built along what comes near; now all have one."""
    assert work.run("generate", "layered", "--nodes", 300, "-o", "graph.json").status == 0
    assert seeds_with_a_plan(work, "54%", 1_500_000, (1, 2, 3, 4), 1.6) >= 3
