"""What is solved by whom: peers, graphs, budgets and experiments."""

import dataclasses
import pathlib
import subprocess

from . import environment, graph


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    script: str
    variant: str
    label: str
    setting: str  # paper (input order, C = 2), order (input order, any C) or free (order free)
    rule: str = ""  # training: only for training graphs


PEERS = {peer.name: peer for peer in (
    Peer("moccasin", "moccasin", "paper", "Moccasin, C = 2", "paper"),
    Peer("moccasin-default", "moccasin", "default", "Moccasin, default", "order"),
    Peer("moccasin-auto", "moccasin", "auto", "Moccasin, order free", "free"),
    Peer("cpsat", "cpsat", "full", "Paper's model, CP-SAT", "paper"),
    Peer("cpsat-log", "cpsat", "log", "Paper's model, CP-SAT, log lengths", "paper"),
    Peer("checkmate-highs", "checkmate_highs", "milp", "Checkmate, HiGHS", "order"),
    Peer("checkmate-scip", "checkmate_scip", "milp", "Checkmate, SCIP", "order"),
    Peer("checkmate-lp", "checkmate_lp", "lp", "Checkmate, LP rounding", "order"),
    Peer("fastsa", "fastsa", "sa", "FastSA", "free"),
    Peer("chen-sqrt", "chen", "sqrt", "Chen, sqrt(n)", "paper", "training"),
    Peer("chen-greedy", "chen", "greedy", "Chen, greedy", "paper", "training"),
    Peer("pytorch-dp", "pytorch", "dp", "PyTorch's rule, dp", "paper", "training"),
    Peer("pytorch-greedy", "pytorch", "greedy", "PyTorch's rule, greedy", "paper", "training"),
)}
OURS = {"paper": "moccasin", "order": "moccasin-default", "free": "moccasin-auto"}

# The paper's table, by the names that its graphs have in the folders that carry them.
PAPER = ["rl-g1-n100", "rl-g2-n250", "rl-g3-n500", "rl-g4-n1000", "cm1-fcn8-train", "cm2-resnet50-train"]

# Graphs of our own in the papers' simple form, made when they are needed: name, arguments of `moccasin generate`.
OWN = {
    "layered-100": ["layered", "--nodes", "100"],
    "layered-250": ["layered", "--nodes", "250"],
    "layered-500": ["layered", "--nodes", "500"],
    "layered-1000": ["layered", "--nodes", "1000"],
    "vgg16": ["vgg16", "--plain", "1"],
    "unet": ["unet", "--plain", "1"],
    "resnet50": ["resnet50", "--plain", "1"],
    "gpt-2-blocks": ["transformer", "--layers", "2", "--plain", "1"],
    "gpt": ["transformer", "--plain", "1"],
}
QUICK = [("layered-100", 80), ("layered-250", 90), ("unet", 80), ("resnet50", 80)]
QUICK_SIZES, FULL_SIZES = (50, 150), (100, 250, 500, 1000, 2000, 4000)
SCALING_PEERS = ("moccasin", "moccasin-auto", "cpsat", "fastsa")
# The paper's model at 2000 nodes has 10,000 edges with two reservoirs each.
SCALING_LIMITS = {"cpsat": 2000}
SWEEP_PEERS = ("moccasin-default", "cpsat", "checkmate-lp", "fastsa", "chen-greedy", "pytorch-dp")
QUICK_SWEEP, FULL_SWEEP = (90, 70), (90, 80, 70, 60, 50, 40, 30)


class Missing(Exception):
    """What the user asked for is not there; the message says what is."""


@dataclasses.dataclass(frozen=True)
class Instance:
    experiment: str
    name: str
    path: pathlib.Path
    percent: int

    def loaded(self):
        """(graph, budget): a share of the input order's peak, rounded up."""
        one = load(self.path)
        return one, -(-self.percent * one.base_peak // 100)


_cache = {}


def load(path):
    if path not in _cache:
        try:
            _cache[path] = graph.load(path)
        except graph.Unsuitable as error:
            raise Missing(f"{path}: {error}; the papers' models know one tensor for each operation and nothing else "
                          "(`moccasin generate KIND --plain 1` makes such graphs)") from error
    return _cache[path]


def generated(name, arguments):
    path = environment.FOLDER / "graphs" / f"{name}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([environment.PROGRAM, "generate", *arguments, "-f", "node-link", "-o", path], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def available(folder):
    """The graphs of a folder, or our own: name to a function that gives the path."""
    if folder is None:
        return {name: (lambda n=name, a=arguments: generated(n, a)) for name, arguments in OWN.items()}
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise Missing(f"there is no folder {folder}")
    found = {path.stem: (lambda p=path: p) for path in sorted(folder.glob("*.json"))}
    if not found:
        raise Missing(f"there are no graphs (*.json) in {folder}")
    return found


def table(folder, quick, wanted):
    graphs = available(folder)
    if wanted:
        pairs = []
        for item in wanted:
            name, _, percent = item.partition(":")
            if name not in graphs:
                raise Missing(f"there is no graph {name}; there are: {', '.join(graphs)}")
            if percent and not (percent.isdigit() and 0 < int(percent) <= 100):
                raise Missing(f"{item}: expected NAME or NAME:PERCENT")
            pairs += [(name, int(percent))] if percent else [(name, 90), (name, 80)]
    elif quick and folder is None:
        pairs = QUICK
    else:
        names = [name for name in PAPER if name in graphs] or [n for n in graphs if n != "gpt-2-blocks"]
        if quick:
            names = names[:2]
        pairs = [(name, percent) for name in names for percent in (90, 80)]
    return [Instance("table", name, graphs[name](), percent) for name, percent in pairs]


def scaling(quick):
    return [Instance("scaling", f"layered-n{n}", generated(f"layered-n{n}", ["layered", "--nodes", str(n)]), 80)
            for n in (QUICK_SIZES if quick else FULL_SIZES)]


def sweep(folder, quick):
    graphs = available(folder)
    name = "cm2-resnet50-train" if "cm2-resnet50-train" in graphs else "resnet50" if "resnet50" in graphs else None
    if name is None:
        return []
    if quick and folder is None:
        name = "unet"
    return [Instance("sweep", name, graphs[name](), percent) for percent in (QUICK_SWEEP if quick else FULL_SWEEP)]
