"""The simple form of a compute graph, as the papers have it: an operation is one tensor with a duration and a size.

Nodes are numbered by their place in the input order (docs/formats.md tells which one that is). What is computed here guides
the peers and is never the last word: plans are judged by `moccasin verify`.
"""

import json


class Unsuitable(Exception):
    """The graph has what the papers' models do not know, or is no graph at all."""


class Graph:
    def __init__(self, name, ids, durations, sizes, reads):
        self.name, self.ids, self.w, self.m, self.preds = name, ids, durations, sizes, reads
        self.n = len(ids)
        self.succs = [[] for _ in ids]
        for v, inputs in enumerate(reads):
            for u in inputs:
                if not u < v:
                    raise Unsuitable(f"the input order is not topological: {ids[v]!r} reads {ids[u]!r}")
                self.succs[u].append(v)
        self.edges = [(u, v) for v in range(self.n) for u in reads[v]]
        self.base_duration = sum(durations)
        self.base_peak = self.evaluate(range(self.n))[1]

    def evaluate(self, sequence):
        """(duration, peak) of a schedule, by the rules of docs/memory.md."""
        sequence = list(sequence)
        made, last = {}, list(range(len(sequence)))
        for step, v in enumerate(sequence):
            for u in self.preds[v]:
                last[made[u]] = step
            made[v] = step
        if len(made) != self.n:
            raise ValueError("some operation is never computed")
        change = [0] * (len(sequence) + 1)
        for step, v in enumerate(sequence):
            change[step] += self.m[v]
            change[last[step] + 1] -= self.m[v]
        peak = level = 0
        for delta in change:
            level += delta
            peak = max(peak, level)
        return sum(self.w[v] for v in sequence), peak

    def staged(self, pairs):
        """The schedule in which, before the first computation of k, p is computed again, for every pair (p, k)."""
        stages = [[] for _ in range(self.n)]
        for p, k in sorted(set(pairs)):
            if not 0 <= p < k < self.n:
                raise ValueError(f"({p}, {k}) is no pair of a place and a later stage")
            stages[k].append(p)
        return [v for k, stage in enumerate(stages) for v in [*stage, k]]

    def working_set(self):
        return max(self.m[v] + sum(self.m[u] for u in self.preds[v]) for v in range(self.n))


def generations(ids, preds, succs):
    """Kahn's order generation by generation, nodes and links in file order, as networkx.topological_sort gives it."""
    open_preds = {v: len(preds[v]) for v in ids}
    front = [v for v in ids if not open_preds[v]]
    order = []
    while front:
        following = []
        for v in front:
            order.append(v)
            for c in succs[v]:
                open_preds[c] -= 1
                if not open_preds[c]:
                    following.append(c)
        front = following
    if len(order) != len(ids):
        raise Unsuitable("the graph has a cycle")
    return order


def of_node_link(data):
    name_of = lambda node: node["id"] if "id" in node else node["name"]
    ids = [name_of(node) for node in data["nodes"]]
    w = {name_of(node): node.get("cost_cpu", node.get("duration")) for node in data["nodes"]}
    m = {name_of(node): node.get("cost_ram", node.get("out_cost")) for node in data["nodes"]}
    links = data.get("links", data.get("edges", []))
    preds, succs, seen = {v: [] for v in ids}, {v: [] for v in ids}, set()
    for link in links:
        u, v = (link["source"], link["target"]) if "source" in link else (link["0"], link["1"])
        if (u, v) not in seen:
            seen.add((u, v))
            preds[v].append(u)
            succs[u].append(v)
    about = data.get("graph") if isinstance(data.get("graph"), dict) else {}
    order = about.get("order") or generations(ids, preds, succs)
    place = {v: i for i, v in enumerate(order)}
    return Graph(about.get("name") or "", order, [w[v] for v in order], [m[v] for v in order],
                 [sorted(place[u] for u in preds[v]) for v in order])


def of_moccasin(data):
    """Only graphs that say no more than the simple form: one output each, no inputs, views, workspace or marks."""
    operations, tensors = data["operations"], {t["id"]: t for t in data["tensors"]}
    place, producer = {}, {}
    for i, operation in enumerate(operations):
        place[operation["id"]] = i
        if len(operation.get("outputs", [])) != 1:
            raise Unsuitable(f"operation {operation['id']!r} has {len(operation.get('outputs', []))} outputs")
        if operation.get("workspace", 0) or not operation.get("recomputable", True):
            raise Unsuitable(f"operation {operation['id']!r} has workspace or cannot be recomputed")
        producer[operation["outputs"][0]] = i
    for tensor in tensors.values():
        if tensor["id"] not in producer or tensor.get("keep") or "view_of" in tensor:
            raise Unsuitable(f"tensor {tensor['id']!r} has no producer, is kept, or is a view")
    return Graph(data.get("name") or "", [o["id"] for o in operations], [o["duration"] for o in operations],
                 [tensors[o["outputs"][0]]["size"] for o in operations],
                 [sorted({producer[t] for t in o.get("inputs", [])}) for o in operations])


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        if isinstance(data, dict) and data.get("format") == "moccasin-graph":
            return of_moccasin(data)
        if isinstance(data, dict) and "nodes" in data:
            return of_node_link(data)
    except (OSError, ValueError) as error:
        raise Unsuitable(str(error)) from error
    except (KeyError, TypeError, IndexError) as error:
        raise Unsuitable(f"it lacks {error}") from error
    raise Unsuitable("this is neither a node-link nor a moccasin-graph file")
