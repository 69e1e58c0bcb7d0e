"""Reading graphs and evaluating schedules, against the program."""

import json
import random
import subprocess

import pytest
from conftest import random_graph

from field import environment, graph, instances, runner


def info(path):
    return json.loads(subprocess.run([environment.PROGRAM, "info", path, "--json"], capture_output=True, check=True).stdout)


@pytest.mark.parametrize("name", ["layered-100", "unet", "resnet50"])
def test_orders_and_peaks_are_the_programs(name):
    path = instances.generated(name, instances.OWN[name])
    said, one = info(path), graph.load(path)
    assert (one.n, len(one.edges)) == (said["nodes"], said["edges"])
    assert (one.base_peak, one.base_duration) == (said["baseline_peak_memory"], said["baseline_duration"])
    assert one.working_set() == said["working_set_bound"]


@pytest.mark.parametrize("name", ["layered-100", "layered-250"])
def test_bundled_graphs_in_our_own_format(name):
    path = environment.ROOT / "examples" / "graphs" / f"{name}.json"
    assert graph.load(path).base_peak == info(path)["baseline_peak_memory"]


@pytest.mark.parametrize("seed", range(10))
def test_evaluation_agrees_with_the_verifier(tmp_path, seed):
    path = tmp_path / "g.json"
    path.write_text(json.dumps(random_graph(seed, 9)))
    one, rng = graph.load(path), random.Random(seed)
    pairs = {(p, k) for p in range(9) for k in range(p + 1, 9) if rng.random() < 0.2}
    sequence = one.staged(pairs)
    assert len(sequence) == 9 + len(pairs)
    assert runner.verify(one, path, sequence, 10**6, tmp_path) == one.evaluate(sequence)
    assert "above" in runner.verify(one, path, sequence, one.evaluate(sequence)[1] - 1, tmp_path)


def test_without_an_order_it_is_made_generation_by_generation(tmp_path):
    data = random_graph(4, 12)
    del data["graph"]["order"]
    random.Random(2).shuffle(data["nodes"])
    path = tmp_path / "g.json"
    path.write_text(json.dumps(data))
    assert graph.load(path).base_peak == info(path)["baseline_peak_memory"]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"nodes": [{}]}', '{"format": "moccasin-graph"}',
                                  '{"nodes": [{"name": 1, "duration": 1, "out_cost": 1}], "links": [{"0": 1, "1": 1}]}'])
def test_what_is_no_graph(tmp_path, text):
    path = tmp_path / "g.json"
    path.write_text(text)
    with pytest.raises(graph.Unsuitable):
        graph.load(path)


def test_graphs_beyond_the_simple_form_are_refused():
    with pytest.raises(graph.Unsuitable, match="output|workspace"):
        graph.load(environment.ROOT / "examples" / "graphs" / "unet.json")
