"""Plans stay as good as they are: the best of three seeds at a fixed number of moves, never time. The same moves are made
everywhere but for the last bits of exp and log, so limits are a little above what was measured."""

import functools
import os
import pathlib

import pytest

GRAPHS = pathlib.Path(__file__).resolve().parents[2] / "examples" / "graphs"
MOVES = 100_000
# Graph, budget, order, and the most that may be added to the duration, in percent of it.
LIMITS = [
    ("layered-100", "70%", "input", 9.9),  # 9.294 or 9.879; four times as many moves bring every seed of twelve to 9.294
    ("layered-250", "80%", "input", 2.9),
    ("layered-1000", "80%", "input", 3.1),
    ("resnet50", "50%", "input", 8.5),
    ("unet", "60%", "input", 3.3),
    ("gpt", "50%", "input", 7.2),
    ("vgg16", "85%", "input", 0.8),
    ("layered-250", "60%", "auto", 12.5),  # from 7 to 14, by where phase 1 ends; the mean of ten seeds is 10 to 12
    ("layered-1000", "70%", "auto", 4.9),  # from 4.3 to 5.3; the mean of eighteen seeds is 4.7 to 4.8
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


def test_the_first_plan_of_10000_operations_is_pruned(work):
    """Without that the first two of these seeds had 10.6 and 12.8 % after four times as many moves."""
    assert work.run("generate", "layered", "--nodes", 10000, "--density", 20, "-o", "graph.json").status == 0
    for seed in (1, 2, 3):
        done = solve(work, "graph.json", "70%", "auto", seed, 5000)
        assert done.status == 0, done
        assert done.json()["total_duration"] <= 1.1 * done.json()["baseline_duration"]
        assert work.run("verify", "graph.json", "plan.json").status == 0


def chain(steps):
    """`steps` operations one after the other and their backward pass, all of one duration and size but for the first, which is
    too long to be computed again."""
    names = [f"a{i}" for i in range(steps + 1)] + [f"g{i}" for i in range(steps, -1, -1)]
    links = [(f"a{i}", f"a{i + 1}") for i in range(steps)] + [(f"a{steps}", f"g{steps}")]
    links += [(f"{x}{i + (x == 'g')}", f"g{i}") for i in range(steps) for x in "ag"]
    return {"directed": True, "multigraph": False, "graph": {},
            "nodes": [{"id": name, "duration": 1000 if name == "a0" else 1, "out_cost": 1} for name in names],
            "links": [{"source": a, "target": b} for a, b in links]}


def least_recomputations(steps, memory):
    """Of segments between checkpoints, each reversed after a sweep from its start: what schedules of chains are made of."""
    @functools.lru_cache(None)
    def backward(n, free):  # what the first step of n reads is resident, and the gradient of the last
        if n == 1 and free >= 1:
            return 0
        return min((r + backward(n - r, free - 1) + backward(r, free)
                    for r in range(1, n) if free >= min(r, 2)), default=float("inf"))

    @functools.lru_cache(None)
    def whole(n, free):  # the same without a gradient
        if n == 0 and free >= 1:
            return 0
        return min((r + whole(n - r, free - 1) + backward(r, free - 1)
                    for r in range(1, n + 1) if free >= min(r, 2)), default=float("inf"))

    return whole(steps, memory - 1) - steps


@pytest.mark.parametrize("steps, memory, worst", [(20, 6, 1.0), (50, 6, 1.05), (50, 5, 1.15)])
def test_chains_come_near_their_optimum(work, steps, memory, worst):
    """At 50 steps in 5 tensors some are computed more than six times, as many as a search begins with."""
    work.write("chain.json", chain(steps))
    least = least_recomputations(steps, memory)
    added = []
    for seed in (1, 2, 3, 4):
        done = solve(work, "chain.json", memory, "input", seed, 3 * MOVES)
        assert done.status == 0, done
        plan = done.json()
        added.append(plan["total_duration"] - plan["baseline_duration"])
    assert least <= min(added) <= worst * least, (least, added)
