"""What the documents show is what there is."""

import ast
import re
import subprocess
import sys

import pytest


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def test_python_parses(root):
    found = [block for name in ("README.md", "docs/python.md") for block in blocks(root / name, "python")]
    assert len(found) >= 6
    for block in found:
        ast.parse(block)


def test_the_first_example_runs(root):
    exec(compile(blocks(root / "docs" / "python.md", "python")[0], "docs/python.md", "exec"), {})


def test_names_exist(root):
    """Every moccasin.something that the documents mention."""
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    import moccasin.onnx
    import moccasin.torch

    for name in ("README.md", "docs/python.md"):
        for dotted in set(re.findall(r"\bmoccasin\.((?:torch|onnx)\.\w+|solve|Graph\w*|Plan\w*)\b", (root / name).read_text(encoding="utf-8"))):
            thing = moccasin
            for part in dotted.split("."):
                thing = getattr(thing, part)


def test_the_training_example(root):
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, root / "examples" / "train.py"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "gradients bitwise equal" in done.stdout
    plain, planned, measured = (float(mib) for mib in re.findall(r"(\d+\.\d) MiB", done.stdout))
    assert measured <= planned + 0.05 and planned <= 0.4 * plain + 0.05
    losses = [float(loss) for loss in re.findall(r"loss (\d+\.\d+)", done.stdout)]
    assert losses[-1] < 0.5 * losses[0]
