"""info, generate and convert."""

import json

import pytest

from conftest import EXAMPLE

KINDS = ["layered", "chain", "vgg16", "resnet50", "unet", "transformer"]


def test_info(example):
    r = example.run("info", "graph.json")
    assert r.status == 0 and r.err == ""
    for words in ("example", "node-link", "11 bytes", 'operation "c"', "8 bytes", 'operation "b"', "72.73 %"):
        assert words in r.out, (words, r)


def test_info_json(example):
    for r in (example.run("info", "graph.json", "--json"),
              example.run("info", "-", "--json", stdin=(example.path / "graph.json").read_bytes())):
        facts = r.json()
        assert facts["nodes"] == 5 and facts["edges"] == 5 and facts["tensors"] == 5 and facts["reads"] == 5
        assert facts["baseline_peak_memory"] == 11 and facts["baseline_peak_step"] == 2 and facts["baseline_peak_node"] == "c"
        assert facts["baseline_duration"] == 8
        assert facts["working_set_bound"] == 8 and facts["working_set_node"] == "b"
        assert facts["format"] == "node-link" and facts["kept"] == facts["views"] == facts["inputs"] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_generate(work, kind):
    r = work.run("generate", kind, "-o", "g.json")
    assert r.status == 0 and r.err == ""
    assert "operations" in r.out and "g.json" in r.out
    assert work.files() == ["g.json"]
    info = work.run("info", "g.json", "--json").json()
    assert info["nodes"] > 1 and info["format"] == "moccasin"
    assert 0 < info["working_set_bound"] <= info["baseline_peak_memory"]


def test_generate_takes_options_and_seed(work):
    first = work.run("generate", "layered", "--nodes", "40", "--seed", "3")
    assert first.status == 0 and first.out != ""
    assert work.run("generate", "layered", "--nodes=40", "--seed=3").out == first.out
    assert work.run("generate", "layered", "--nodes", "40", "--seed", "4").out != first.out
    assert work.run("info", "-", "--json", stdin=first.out.encode()).json()["nodes"] == 40


def test_generate_formats(work):
    r = work.run("generate", "layered", "--nodes", "20", "--format", "node-link")
    assert r.status == 0 and len(r.json()["nodes"]) == 20
    r = work.run("generate", "layered", "--nodes", "20", "--format", "dot")
    assert r.status == 0 and r.out.startswith(("digraph", "strict digraph"))


def test_convert_keeps_everything(example):
    assert example.run("convert", "graph.json", "native.json").status == 0
    assert example.run("convert", "native.json", "back.json", "--to", "node-link").status == 0
    assert example.load("native.json")["format"] == "moccasin-graph"
    facts = [example.run("info", name, "--json").json() for name in ("graph.json", "native.json", "back.json")]
    formats = [f.pop("format") for f in facts]
    assert facts[0] == facts[1] == facts[2] and formats == ["node-link", "moccasin", "node-link"]


def test_convert_streams(example):
    text = (example.path / "graph.json").read_bytes()
    r = example.run("convert", "-", "-", stdin=text)
    assert r.status == 0 and r.json()["format"] == "moccasin-graph"


def test_convert_picks_dot_by_name(example):
    for name in ("graph.dot", "graph.gv", "GRAPH.DOT"):
        assert example.run("convert", "graph.json", name).status == 0
        assert "digraph" in (example.path / name).read_text()


def test_convert_in_place(example):
    assert example.run("convert", "graph.json", "graph.json").status == 0
    assert example.load("graph.json")["format"] == "moccasin-graph" and example.files() == ["graph.json"]


def test_what_node_link_cannot_express(work):
    assert work.run("generate", "resnet50", "-o", "g.json").status == 0
    r = work.run("convert", "g.json", "h.json", "--to", "node-link")
    assert r.status == 2 and "node-link" in r.err
    assert work.files() == ["g.json"]
