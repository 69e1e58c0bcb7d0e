"""Bad input: a clear message that names the file and the place, the right exit status, and nothing left behind."""

import copy
import json
import os

import pytest

from conftest import EXAMPLE, QUICK, node_link


def changed(change):
    graph = copy.deepcopy(EXAMPLE)
    change(graph)
    return json.dumps(graph)


def put(path, value):
    """Set a member of the example: put(("nodes", 0, "cost_cpu"), -1)."""

    def change(graph):
        at = graph
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value

    return changed(change)


def without(path):
    def change(graph):
        at = graph
        for key in path[:-1]:
            at = at[key]
        del at[path[-1]]

    return changed(change)


# name: text, words of which the message has at least one of each
BAD = {
    "empty file": ("", ["1:1"]),
    "not JSON": ("hello", [":1:"]),
    "truncated": (json.dumps(EXAMPLE)[:100], [":1:"]),
    "two documents": (json.dumps(EXAMPLE) + "{}", [":1:"]),
    "list": ("[]", ["object"]),
    "number": ("17", [":1:"]),
    "no nodes": (without(("nodes",)), ["nodes"]),
    "no links": (without(("links",)), ["links"]),
    "empty graph": (json.dumps(node_link([], [])), ["operation|nodes"]),
    "nodes not a list": (put(("nodes",), {}), ["nodes"]),
    "links not a list": (put(("links",), 3), ["links"]),
    "node not an object": (put(("nodes", 2), 3), ["nodes[2]"]),
    "no duration": (without(("nodes", 1, "cost_cpu")), ["nodes[1]", "cost_cpu|duration"]),
    "no size": (without(("nodes", 1, "cost_ram")), ["nodes[1]", "cost_ram|size|out_cost"]),
    "no id": (without(("nodes", 3, "id")), ["nodes[3]", "id"]),
    "duplicate id": (put(("nodes", 1, "id"), "a"), ['"a"']),
    "id a list": (put(("nodes", 1, "id"), [1]), ["nodes[1]"]),
    "unknown source": (put(("links", 2, "source"), "zz"), ["links[2]", "zz"]),
    "unknown target": (put(("links", 2, "target"), "zz"), ["links[2]", "zz"]),
    "no target": (without(("links", 2, "target")), ["links[2]"]),
    "self-loop": (put(("links", 2, "target"), "c"), ["c"]),
    "cycle": (put(("links", 0), {"source": "e", "target": "a"}), ["cycle"]),
    "negative duration": (put(("nodes", 0, "cost_cpu"), -1), ["nodes[0]", "-1|negative"]),
    "negative size": (put(("nodes", 4, "cost_ram"), -1), ["nodes[4]", "-1|negative"]),
    "fractional duration": (put(("nodes", 0, "cost_cpu"), 1.5), ["nodes[0]", "whole|integer"]),
    "fractional size": (put(("nodes", 0, "cost_ram"), 2.25), ["nodes[0]", "whole|integer"]),
    "size a string": (put(("nodes", 0, "cost_ram"), "2"), ["nodes[0]"]),
    "size null": (put(("nodes", 0, "cost_ram"), None), ["nodes[0]"]),
    "size true": (put(("nodes", 0, "cost_ram"), True), ["nodes[0]"]),
    "huge size": (put(("nodes", 0, "cost_ram"), 10**30), ["nodes[0]|:1:"]),
    "huge exponent": (json.dumps(EXAMPLE).replace('"cost_ram": 5', '"cost_ram": 1e400'), ["nodes[0]|:1:"]),
    "size over the limit": (put(("nodes", 0, "cost_ram"), 2**63 - 1), ["nodes[0]|4611686018427387904|2^62"]),
    "sizes overflow": (json.dumps(node_link([(1, 1, 2**61), (2, 1, 2**61), (3, 1, 1)], [])), ["4611686018427387904|2^62"]),
    "durations overflow": (json.dumps(node_link([(1, 2**62, 1), (2, 1, 1)], [])), ["4611686018427387904|2^62"]),
    "deep nesting": ("[" * 100000, [":1:|depth|deep"]),
    "deep nesting inside": (put(("graph", "deep"), 0).replace('"deep": 0', '"deep": ' + "[" * 5000 + "]" * 5000), ["dep|nest"]),
    "order incomplete": (put(("graph", "order"), ["a", "b"]), ["order"]),
    "order not topological": (put(("graph", "order"), ["b", "a", "c", "d", "e"]), ["order|a"]),
    "order with a stranger": (put(("graph", "order"), ["a", "b", "c", "d", "zz"]), ["order", "zz"]),
    "invalid UTF-8": (json.dumps(EXAMPLE).encode().replace(b'"a"', b'"\xff\xfe"'), [":1:|UTF-8"]),
    "NUL byte": (json.dumps(EXAMPLE).encode()[:50] + b"\0" + json.dumps(EXAMPLE).encode()[50:], [":1:"]),
    "other format": ('{"format": "moccasin-plan", "version": 1}', ["format"]),
    "later version": ('{"format": "moccasin-graph", "version": 99}', ["version", "99"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_graph(work, name):
    text, expected = BAD[name]
    work.write("graph.json", text)
    first = None
    for command in (["solve", "graph.json", "-b", "10", "-o", "out.json", "--report", "out.svg"], ["info", "graph.json"],
                    ["convert", "graph.json", "out.json"], ["verify", "graph.json", "graph.json"]):
        r = work.run(*command)
        assert r.status == 2 and r.out == "", (command, r)
        line = r.err.splitlines()[0]
        assert line.startswith("moccasin: graph.json:"), r
        for words in expected:
            assert any(word in line for word in words.split("|")), (words, line)
        assert len(r.err) < 2000 and all(c >= " " or c == "\n" for c in r.err)
        assert work.files() == ["graph.json"]
        first = first or line
        assert line == first


def test_bad_graph_on_standard_input(work):
    r = work.run("info", "-", stdin=b'{"nodes"')
    assert r.status == 2 and r.err.startswith("moccasin: standard input:1:")


def test_truncated_anywhere(work):
    text = json.dumps(EXAMPLE).encode()
    for length in range(0, len(text), 3):
        r = work.run("info", "-", stdin=text[:length])
        assert r.status == 2 and "standard input:1:" in r.err, (length, r)


def test_names_do_not_reach_the_terminal_raw(work):
    graph = node_link([("\x1b[31mred", 1, 50), ("b", 1, 5)], [("b", "\x1b[31mred")])
    graph["graph"]["name"] = "\x1b[1m"
    work.write("graph.json", graph)
    for command in (["solve", "graph.json", "-b", "3"], ["info", "graph.json"]):
        r = work.run(*command)
        assert "\x1b" not in r.err and "\x1b" not in r.out
        assert '"?[31mred"' in r.err + r.out


def test_missing_file(work):
    for command in (["solve", "none.json", "-b", "10"], ["info", "none.json"], ["verify", "none.json", "p"],
                    ["convert", "none.json", "out.json"]):
        r = work.run(*command)
        assert r.status == 1 and "none.json" in r.err and "No such file" in r.err, r
    assert work.files() == []


def test_directory_as_graph(work):
    (work.path / "folder").mkdir()
    r = work.run("info", "folder")
    assert r.status == 1 and "folder" in r.err and "irectory" in r.err


OUTPUTS = [(["solve", "graph.json", "-b", "10", "-o"], "json"), (["solve", "graph.json", "-b", "10", "--report"], "svg"),
           (["convert", "graph.json"], "json"), (["generate", "layered", "-o"], "json")]


@pytest.mark.parametrize("command, suffix", OUTPUTS, ids=lambda v: " ".join(v) if isinstance(v, list) else v)
def test_unwritable_output(example, command, suffix):
    (example.path / f"folder.{suffix}").mkdir()
    before = example.files()
    for target, words in ((f"folder.{suffix}", "it is a directory"), (f"none/out.{suffix}", "No such file or directory"),
                          (f"graph.json/out.{suffix}", "Not a directory"), (f"/proc/self/out.{suffix}", "cannot write")):
        r = example.run(*command, target)
        assert r.status == 1 and r.out == "", r
        assert target in r.err and words in r.err, r
    assert example.files() == before and os.listdir(example.path / f"folder.{suffix}") == []


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser can write everywhere")
def test_read_only_folder(example):
    folder = example.path / "closed"
    folder.mkdir()
    folder.chmod(0o500)
    r = example.run("solve", "graph.json", "-b", "10", "-o", "closed/plan.json")
    assert r.status == 1 and "Permission denied" in r.err


def test_empty_output_name(example):
    r = example.run("solve", "graph.json", "-b", "10", "-o", "")
    assert r.status == 2 and "empty" in r.err


def test_the_graph_is_not_overwritten(example):
    before = (example.path / "graph.json").read_bytes()
    os.link(example.path / "graph.json", example.path / "other.json")
    for name in ("graph.json", "./graph.json", "other.json"):
        r = example.run("solve", "graph.json", "-b", "10", "-o", name)
        assert r.status == 2 and "would overwrite the graph" in r.err
    assert (example.path / "graph.json").read_bytes() == before


@pytest.mark.parametrize("command", [["info", "graph.json"], ["info", "graph.json", "--json"], ["generate", "layered"],
                                     ["solve", "graph.json", "-b", "10", "-o", "-", *QUICK],
                                     ["convert", "graph.json", "-"]], ids=" ".join)
def test_full_standard_output(example, command):
    with open("/dev/full", "wb") as full:
        r = example.run(*command, stdout=full)
    assert r.status == 1 and "No space left" in r.err, r
