"""ONNX models: the same outputs from a model that follows the plan."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

onnx = pytest.importorskip("onnx")
np = pytest.importorskip("numpy")

from onnx import TensorProto, checker, helper, parser  # noqa: E402

import moccasin  # noqa: E402
import moccasin.onnx as mo  # noqa: E402
from moccasin.onnx._plan import write  # noqa: E402

LIGHT = pathlib.Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
# Models of the onnx package, and shares of what they need at which something has to be computed again.
SHARES = {
    "light_bvlc_alexnet": 0.95, "light_densenet121": 0.55, "light_inception_v1": 0.6, "light_inception_v2": 0.5,
    "light_resnet50": 0.5, "light_shufflenet": 0.55, "light_squeezenet": 0.75, "light_vgg19": 0.95, "light_zfnet512": 0.9,
}
# Deterministic, and with plans in a second.
QUICK = {"moves": 200_000, "threads": 1, "time_limit": 20}


def run(model, options=None, seed=0):
    """Outputs for random inputs, and the names of the nodes in the order in which they ran."""
    runtime = pytest.importorskip("onnxruntime")
    options = mo.session_options(options)
    options.log_severity_level = 3
    session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(seed)
    feed = {i.name: random.random(i.shape, dtype=np.float32) for i in session.get_inputs()}
    outputs = session.run(None, feed)
    if not options.enable_profiling:
        return outputs, None
    events = json.loads(pathlib.Path(session.end_profiling()).read_text())
    return outputs, [e["name"].removesuffix("_kernel_time") for e in events if e["name"].endswith("_kernel_time")]


def assert_equal(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("name", SHARES)
def test_models_of_others(name, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    source = mo.Model(LIGHT / f"{name}.onnx")
    assert mo.peak_memory(source.proto) == source.graph.facts.baseline_peak
    planned = mo.plan(source.proto, SHARES[name], **QUICK)
    plan = planned.plan
    plan.verify()
    print(f"{name}: {plan!r}, bound {source.graph.facts.working_set_bound / plan.baseline_peak_memory:.2f}")
    assert plan.rematerialized and plan.peak_memory <= plan.budget
    checker.check_model(planned.model, full_check=True)
    assert mo.peak_memory(planned.model) == plan.peak_memory
    options = runtime.SessionOptions()
    options.enable_profiling, options.profile_file_prefix = True, str(tmp_path / "profile")
    outputs, order = run(planned.model, options)
    assert_equal(outputs, run(source.proto)[0])
    # The runtime says in which order it ran the nodes: that of the plan, so that its peak is the plan's.
    assert order == [node.name for node in planned.model.graph.node]
    assert mo.peak_memory(planned.model, order) == plan.peak_memory


def test_the_order_is_planned_too(tmp_path):
    source = mo.Model(LIGHT / "light_inception_v2.onnx")
    planned = mo.plan(source.proto, 0.5, order="auto", **QUICK)
    assert mo.peak_memory(planned.model) == planned.plan.peak_memory <= planned.plan.budget
    assert_equal(run(planned.model)[0], run(source.proto)[0])


# --- Models made here ---


def model_of(text, **more):
    model = parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]>\n{text}')
    checker.check_model(model)
    return model


def write_twice(model, twice):
    """A model in which a node is computed again before the last one, by a plan made by hand."""
    source = mo.Model(model)
    names = list(source.graph.input_order)
    sequence = [*names[:-1], *twice, names[-1]]
    document = {"format": "moccasin-plan", "version": 1, "sequence": sequence}
    return write(source, moccasin.Plan.from_json(source.graph, json.dumps(document)))


VIEWS = """
g (float[4, 6] x) => (float[24] y)
<int64[1] flat = {-1}, int64[2] square = {6, 4}>
{
  a = Exp(x)
  v = Reshape(a, square)
  b = Sin(v)
  w = Reshape(v, flat)
  c = Reshape(b, flat)
  y = Add(w, c)
}
"""


def test_views_are_taken_anew():
    model = model_of(VIEWS)
    source = mo.Model(model)
    assert set(source.views) == {"v", "w", "c"} and source.base["w"] == "a" and len(source.graph) == 3
    planned = write_twice(model, source.graph.input_order[:1])
    nodes = planned.model.graph.node
    assert [n.op_type for n in nodes] == ["Exp", "Reshape", "Sin", "Exp", "Reshape", "Reshape", "Reshape", "Add"]
    last = nodes[-1]
    made = {n.output[0]: n for n in nodes}
    assert made[made[made[last.input[0]].input[0]].input[0]].output[0] == nodes[3].output[0], "the view is of the new instance"
    assert mo.peak_memory(planned.model) == planned.plan.peak_memory
    assert_equal(run(planned.model)[0], run(model)[0])


def test_an_output_that_is_computed_twice_keeps_its_name():
    model = model_of("g (float[4] x) => (float[4] a, float[4] y) { a = Exp(x) b = Sin(a) y = Add(a, b) }")
    names = mo.Model(model).graph.input_order
    planned = write_twice(model, names[:1])
    assert [o.name for o in planned.model.graph.output] == ["a", "y"]
    assert [n.output[0] for n in planned.model.graph.node].count("a") == 1
    assert planned.model.graph.node[2].output[0] == "a"
    assert_equal(run(planned.model)[0], run(model)[0])


def test_random_nodes_run_once():
    model = model_of("""g (float[4] x) => (float[4] y) {
        r = RandomNormalLike <seed = 1.0> (x)
        a = Add(x, r) b = Exp(a) q = RandomUniformLike <seed = 2.0> (b) y = Mul(q, r)
    }""")
    once = [o for o in mo.Model(model).graph.operations if not o.recomputable]
    assert [o.label for o in once] == ["RandomNormalLike", "RandomUniformLike"]
    assert set(once[0].outputs) & set(once[1].inputs), "the second comes after the first"


def test_what_a_subgraph_uses_is_computed_once():
    then = helper.make_graph([helper.make_node("Neg", ["a"], ["t"])], "then", [], [helper.make_tensor_value_info("t", 1, [4])])
    other = helper.make_graph([helper.make_node("Abs", ["v"], ["e"])], "else", [], [helper.make_tensor_value_info("e", 1, [4])])
    graph = helper.make_graph(
        [helper.make_node("Exp", ["x"], ["a"]), helper.make_node("Sin", ["x"], ["b"]), helper.make_node("Identity", ["b"], ["v"]),
         helper.make_node("Cos", ["x"], ["c"]),
         helper.make_node("If", ["p"], ["i"], then_branch=then, else_branch=other), helper.make_node("Add", ["i", "c"], ["y"])],
        "g", [helper.make_tensor_value_info("x", 1, [4]), helper.make_tensor_value_info("p", TensorProto.BOOL, [])],
        [helper.make_tensor_value_info("y", 1, [4])])
    source = mo.Model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8))
    by_label = {o.label: o for o in source.graph.operations}
    assert {label for label, o in by_label.items() if not o.recomputable} == {"Exp", "Identity", "If"}
    assert set(by_label["If"].inputs) == {"p", "a", "v"}
    planned = write_twice(source.proto, [o.name for o in source.graph.operations if o.label == "Sin"])
    checker.check_model(planned.model, full_check=True)


def test_dimensions():
    model = model_of("g (float[N, 4] x) => (float[N, 4] y) { a = Exp(x) y = Sin(a) }")
    with pytest.raises(mo.ModelError, match="'N' of input 'x'"):
        mo.Model(model)
    assert mo.Model(model, {"N": 8}).graph.facts.baseline_peak == 3 * 8 * 4 * 4
    assert mo.peak_memory(model, dimensions={"N": 2}) == 3 * 2 * 4 * 4
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N", "the caller's model is left alone"


@pytest.mark.parametrize("text, message", [
    ("g (float[4] x) => (int64[N, M] y) { y = NonZero(x) }", "depends on data"),
    ("g (string[4] x) => (string[4] y) { y = Identity(x) }", "strings"),
    ("g (float[4] x) => (seq(float[4]) y) { y = SequenceConstruct(x) }", "sequence"),
])
def test_unknown_sizes_are_refused(text, message):
    with pytest.raises(mo.ModelError, match=message):
        mo.Model(parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]>\n{text}'))


def test_sizes():
    model = model_of("g (float16[3] x, bool[5] p, double[2, 2] d) => (float[3] y) { y = Cast <to = 1> (x) }")
    source = mo.Model(model)
    assert [source.values[name].bytes for name in ("x", "p", "d", "y")] == [6, 5, 32, 12]


def test_costs():
    def flops(kind, inputs, outputs, **attributes):
        from moccasin.onnx._cost import flops_of
        return flops_of(helper.make_node(kind, [], [], **attributes), inputs, outputs)

    assert flops("Conv", [(1, 8, 10, 10), (16, 8, 3, 3)], [(1, 16, 10, 10)]) == 2 * 1600 * 72
    assert flops("Conv", [(1, 8, 10, 10), (8, 1, 3, 3)], [(1, 8, 10, 10)], group=8) == 2 * 800 * 9
    assert flops("MatMul", [(5, 3, 4), (5, 4, 7)], [(5, 3, 7)]) == 2 * 105 * 4
    assert flops("Gemm", [(4, 3), (4, 7)], [(3, 7)], transA=1) == 2 * 21 * 4
    assert flops("Relu", [(10,)], [(10,)]) == 10


# --- The command line ---


def command(*arguments):
    environment = dict(os.environ, PYTHONWARNINGS="ignore")
    return subprocess.run([sys.executable, "-m", "moccasin", *map(str, arguments)], capture_output=True, text=True, timeout=120, env=environment)


def test_command(tmp_path):
    model = LIGHT / "light_shufflenet.onnx"
    done = command(model, "--budget", "60%", "-o", tmp_path / "out.onnx", "--plan", tmp_path / "plan.json", "--graph",
                   tmp_path / "graph.json", "--moves", 20000, "--threads", 1)
    assert done.returncode == 0, done.stderr
    assert "Recomputed" in done.stdout and done.stderr == ""
    graph = moccasin.Graph.from_file(tmp_path / "graph.json")
    plan = moccasin.Plan.from_file(graph, tmp_path / "plan.json")
    plan.verify()
    assert mo.peak_memory(tmp_path / "out.onnx") == plan.peak_memory <= 0.6 * plan.baseline_peak_memory + 1
    assert sorted(os.listdir(tmp_path)) == ["graph.json", "out.onnx", "plan.json"]


@pytest.mark.parametrize("arguments, status, message", [
    (["--budget", "1%"], 3, "no plan exists"), (["--budget", "80%", "--threads", "-1"], 2, "threads"),
    (["--budget", "x"], 2, "budget"), (["--budget", "60%", "--dimension", "N"], 2, "NAME=N"), ([], 2, "--budget")])
def test_command_errors(tmp_path, arguments, status, message):
    done = command(LIGHT / "light_shufflenet.onnx", "-o", tmp_path / "out.onnx", *arguments)
    assert done.returncode == status and message in done.stderr
    assert os.listdir(tmp_path) == []


def test_command_with_a_bad_file(tmp_path):
    (tmp_path / "bad.onnx").write_text("this is no model")
    assert command(tmp_path / "bad.onnx", "--budget", "60%", "-o", tmp_path / "out.onnx").returncode == 2
    assert command(tmp_path / "none.onnx", "--budget", "60%", "-o", tmp_path / "out.onnx").returncode == 1


def test_help_is_the_libraries():
    text = " ".join(command("--help").stdout.split())
    for option in moccasin.options().values():
        assert "--" + option.name.replace("_", "-") in text and " ".join(option.help.split()) in text
