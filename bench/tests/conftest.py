"""Small graphs, exhaustive optima, and bench/run and bench/report as a user calls them."""

import functools
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from field import environment, graph, instances, runner  # noqa: E402


def node_link(w, m, edges, ids=None):
    ids = ids or list(range(len(w)))
    return {"directed": True, "multigraph": False, "graph": {"name": "small", "order": ids},
            "nodes": [{"name": v, "duration": a, "out_cost": b} for v, a, b in zip(ids, w, m)],
            "links": [{"0": ids[u], "1": ids[v]} for u, v in edges]}


def random_graph(seed, n):
    """A graph whose long edges make recomputation worth while."""
    rng = random.Random(seed)
    edges = set()
    for v in range(1, n):
        edges.add((v - 1 if rng.random() < 0.8 else rng.randrange(v), v))
        if rng.random() < 0.5:
            edges.add((rng.randrange(v), v))
    return node_link([rng.randint(1, 20) for _ in range(n)], [rng.randint(1, 20) for _ in range(n)], sorted(edges))


def chain(n):
    """A training step of n layers: forward chain, loss, backward chain; the backward of a layer reads its input and output."""
    edges, loss = [(i, i + 1) for i in range(n)], n
    for i in reversed(range(n)):
        backward = 2 * n - i
        edges += [(backward - 1, backward), (i, backward)] + ([(i - 1, backward)] if i else [])
    sizes = [4 + i % 3 for i in range(n)] + [1] + [2] * n
    return node_link([3 + i % 4 for i in range(n)] + [1] + [6] * n, sizes, sorted(set(edges)))


@functools.cache
def optimum(text, budget, computes):
    """The least duration of a staged schedule within budget, by trying all; None if there is none."""
    one = graph.of_node_link(json.loads(text))
    best = None
    per_node = []
    for p in range(one.n):
        stages = range(p + 1, one.n)
        per_node.append([[(p, k) for k in chosen] for size in range(min(computes, len(stages) + 1))
                         for chosen in itertools.combinations(stages, size)])
    for parts in itertools.product(*per_node):
        pairs = [pair for part in parts for pair in part]
        extra = sum(one.w[p] for p, _ in pairs)
        if best is None or extra < best - one.base_duration:
            duration, peak = one.evaluate(one.staged(pairs))
            if peak <= budget:
                best = duration
    return best


class Study:
    def __init__(self, folder):
        self.folder = folder

    def write(self, data, name="small"):
        path = self.folder / "graphs" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(data))
        return path

    def solve(self, name, path, percent=80, seconds=20, threads=2, **more):
        instance = instances.Instance("table", path.stem, path, percent)
        return runner.run(sys.executable, instances.PEERS[name], instance, seconds, threads, 1, **more)

    def run(self, *arguments, script="run", **more):
        done = subprocess.run([sys.executable, str(ROOT / "bench" / script), *map(str, arguments)], capture_output=True, text=True,
                              env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1", **more), timeout=300)
        return done


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


@pytest.fixture(scope="session", autouse=True)
def programs():
    environment.programs()
