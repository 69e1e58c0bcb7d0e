"""Training graphs: telling forward from backward by structure, and the schedule that a set of saved activations means.

A training step has a node through which everything goes: the loss. Every forward operation leads to it, every backward
operation follows from it, and backward operations read forward tensors past it. So: of the nodes that every other node either
leads to or follows from, the one past which the most forward tensors are read; the graph is a training step if these are at
least a quarter of the forward part. Names and flags in the file are not looked at. Graphs of random layers have no such node.
"""


class Split:
    def __init__(self, graph, loss):
        self.graph, self.loss = graph, loss
        above = reach(graph.preds, loss)
        self.forward = [v in above or v == loss for v in range(graph.n)]
        self.order = [v for v in range(graph.n) if self.forward[v]]
        # Tensors that the backward part reads: what a framework would save.
        self.saved = [u for u in self.order if any(not self.forward[c] for c in graph.succs[u])]


def reach(neighbours, start):
    seen, stack = set(), [start]
    while stack:
        for v in neighbours[stack.pop()]:
            if v not in seen:
                seen.add(v)
                stack.append(v)
    return seen


def split(graph):
    """A Split, or None for a graph that is no training step. O(n (n + m))."""
    best = None
    for v in range(graph.n):
        if not graph.preds[v] or not graph.succs[v]:
            continue
        above, below = reach(graph.preds, v), reach(graph.succs, v)
        if len(above) + len(below) + 1 != graph.n:
            continue
        crossing = sum(1 for u in above if any(c in below for c in graph.succs[u]))
        if 4 * crossing >= len(above) and (best is None or crossing > best[0]):
            best = (crossing, v)
    return None if best is None else Split(graph, best[1])


def schedule(part, saved, group=None):
    """The pairs when only `saved` forward tensors live on into the backward part.

    What else the backward part reads is computed again before its first backward reader, from what is saved, together with
    what that needs, and stays to its last reader. With `group` (a number for each forward node) all that is dropped of a
    group and still needed is computed again at once, as Chen's segments are.
    """
    graph, forward = part.graph, part.forward
    saved, made, pairs = set(saved), set(), set()
    wanted = {u for u in part.saved if u not in saved}
    members = {}
    if group is not None:
        for u in wanted:
            members.setdefault(group[u], []).append(u)

    def again(v, stage):
        stack = [v]
        while stack:
            u = stack.pop()
            if u in made or u in saved or not forward[u] or u >= stage:
                continue
            made.add(u)
            pairs.add((u, stage))
            stack.extend(graph.preds[u])

    for k in range(graph.n):
        if forward[k]:
            continue
        for u in graph.preds[k]:
            if u in wanted and u not in made:
                for other in [u] if group is None else members[group[u]]:
                    again(other, k)
    return pairs
