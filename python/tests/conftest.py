"""What the tests of the package share."""

import pathlib

import pytest

import moccasin
from moccasin import Graph, Operation, Tensor

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root():
    """The folder of the repository."""
    return ROOT


@pytest.fixture
def example():
    """Five operations whose input order peaks at 11; within 10, the least duration is 9: "a" comes back before "e"."""
    sizes = {"a": 5, "b": 3, "c": 3, "d": 1, "e": 1}
    reads = {"a": [], "b": ["a"], "c": ["b"], "d": ["c"], "e": ["a", "d"]}
    durations = {"a": 1, "b": 4, "c": 1, "d": 1, "e": 1}
    return Graph(
        [Operation(v, durations[v], inputs=reads[v], outputs=[v]) for v in sizes],
        [Tensor(v, size) for v, size in sizes.items()],
        name="example",
    )


@pytest.fixture(scope="session")
def layered():
    """A random layered graph that no search is done with in a minute."""
    return moccasin.Graph.from_file(ROOT / "examples" / "graphs" / "layered-250.json")
