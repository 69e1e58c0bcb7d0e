#!/usr/bin/env python3
"""Chen's checkpointing, sqrt(n) and greedy.

Source: Chen, Xu, Zhang, Guestrin, "Training Deep Nets with Sublinear Memory Cost", 2016, for chains; carried over to DAGs in the two
ways of Checkmate (MLSys 2020, section 6.1): candidates for checkpoints are the articulation points of the forward part as an
undirected graph (AP), or all forward operations in the input order (linearised). Between two checkpoints the forward part is
computed again before the first backward operation that needs it. `sqrt`: about sqrt(c) of c candidates, evenly spaced. `greedy`: a
checkpoint whenever the sizes since the last one exceed b, for 100 values of b; the shortest schedule within budget counts.

Exact for chains. Approximated: where an operation reads across segments what was dropped, that is recomputed too. Neither rule
knows the budget; what it gives may be over it. Only for training graphs (field/training.py tells how they are recognised).
"""

import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from field import peer, training  # noqa: E402


def articulation_points(nodes, neighbours):
    """Tarjan, without recursion."""
    inside, number, low, points = set(nodes), {}, {}, set()
    for root in nodes:
        if root in number:
            continue
        number[root] = low[root] = len(number)
        children, stack = 0, [(root, None, iter(neighbours[root]))]
        while stack:
            v, parent, rest = stack[-1]
            for c in rest:
                if c not in inside or c == parent:
                    continue
                if c in number:
                    low[v] = min(low[v], number[c])
                else:
                    number[c] = low[c] = len(number)
                    stack.append((c, v, iter(neighbours[c])))
                    break
            else:
                stack.pop()
                if parent is not None:
                    low[parent] = min(low[parent], low[v])
                    if parent == root:
                        children += 1
                    elif low[v] >= number[parent]:
                        points.add(parent)
        if children > 1:
            points.add(root)
    return points


def segments(part, checkpoints):
    group, current = {}, 0
    for v in part.order:
        group[v] = current
        current += v in checkpoints
    return group


def solve(task):
    part = training.split(task.graph)
    if part is None:
        return task.done("not-applicable", "this is not a training step: there is no loss that everything leads to or follows from")
    graph = task.graph
    neighbours = [[*graph.preds[v], *graph.succs[v]] for v in range(graph.n)]
    points = articulation_points(part.order, neighbours)
    tried, least = 0, None
    for candidates in ([v for v in part.order if v in points], part.order):
        if not candidates:
            continue
        choices = []
        if task.variant == "sqrt":
            step = max(1, round(math.sqrt(len(candidates))))
            choices.append({v for i, v in enumerate(candidates) if i % step == step - 1})
        else:
            total, allowed = sum(graph.m[v] for v in part.order), set(candidates)
            for share in range(1, 101):
                limit, sum_since, chosen = total * share / 100, 0, set()
                for v in part.order:
                    sum_since += graph.m[v]
                    if sum_since > limit and v in allowed:
                        chosen.add(v)
                        sum_since = 0
                choices.append(chosen)
        for chosen in choices:
            pairs = training.schedule(part, chosen, segments(part, chosen))
            tried += 1
            peak = graph.evaluate(graph.staged(pairs))[1]
            least = peak if least is None else min(least, peak)
            task.pairs(pairs)
    task.done("feasible" if task.best is not None else "none", f"{tried} schedules, the least peak {100 * least / task.budget:.1f} % of the budget")


if __name__ == "__main__":
    peer.main(__doc__, ["sqrt", "greedy"], solve)
