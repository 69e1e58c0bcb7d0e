#!/usr/bin/env python3
"""The rule of PyTorch's partitioner for an activation memory budget: a knapsack over the activations that are saved.

Source: torch/_functorch/partitioners.py of PyTorch 2.4 and later (`activation_memory_budget`) and its description, "Current and new
activation checkpointing techniques in PyTorch", 2025; written from how it behaves. Of the forward tensors that the backward part
reads, a knapsack chooses those to save: the most runtime within a share b of their bytes, by dynamic programming (`dp`,
sizes in ten-thousandths of the total, rounded up) or by runtime per byte (`greedy`). The others are computed again in the
backward part where they are first needed.

Approximated: the minimum cut, by which PyTorch may save something smaller that a dropped tensor can be computed from, and fusion,
which the simple graphs know nothing about. b is a user's guess; here all of 0, 0.01, ..., 1 are tried, and the shortest schedule
within the peak budget counts. Only for training graphs (field/training.py tells how they are recognised).
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import numpy  # noqa: E402

from field import peer, training  # noqa: E402

GRAIN = 10_000


def dynamic(sizes, runtimes):
    """For every capacity in 0 .. GRAIN, which items to save; a function of the capacity."""
    total = sum(sizes) or 1
    units = [-(-size * GRAIN // total) for size in sizes]
    value = numpy.zeros(GRAIN + 1)
    taken = numpy.zeros((len(sizes), GRAIN + 1), bool)
    for item, (unit, runtime) in enumerate(zip(units, runtimes)):
        with_it = numpy.full(GRAIN + 1, -1.0)
        with_it[unit:] = value[:GRAIN + 1 - unit] + runtime
        taken[item] = with_it > value
        value = numpy.maximum(value, with_it)

    def choose(share):
        capacity, chosen = int(share * GRAIN), []
        for item in reversed(range(len(sizes))):
            if taken[item, capacity]:
                chosen.append(item)
                capacity -= units[item]
        return chosen

    return choose


def greedy(sizes, runtimes):
    order = sorted(range(len(sizes)), key=lambda i: runtimes[i] / sizes[i] if sizes[i] else float("inf"), reverse=True)
    total = sum(sizes)

    def choose(share):
        left, chosen = share * total, []
        for item in order:
            if sizes[item] <= left:
                left -= sizes[item]
                chosen.append(item)
        return chosen

    return choose


def solve(task):
    part = training.split(task.graph)
    if part is None:
        return task.done("not-applicable", "this is not a training step: there is no loss that everything leads to or follows from")
    graph = task.graph
    sizes, runtimes = [graph.m[u] for u in part.saved], [graph.w[u] for u in part.saved]
    choose = (dynamic if task.variant == "dp" else greedy)(sizes, runtimes)
    least = None
    for percent in range(100, -1, -1):
        pairs = training.schedule(part, [part.saved[i] for i in choose(percent / 100)])
        peak = graph.evaluate(graph.staged(pairs))[1]
        least = peak if least is None else min(least, peak)
        task.pairs(pairs)
    task.done("feasible" if task.best is not None else "none",
              f"{len(part.saved)} activations, the least peak {100 * least / task.budget:.1f} % of the budget")


if __name__ == "__main__":
    peer.main(__doc__, ["dp", "greedy"], solve)
