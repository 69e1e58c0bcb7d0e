"""Running the program as a user does. MOCCASIN names it; the default is the release build's."""

import json
import os
import pathlib
import signal
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = str(pathlib.Path(os.environ.get("MOCCASIN", ROOT / "build/release/bin/moccasin")).resolve())


class Result:
    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.status}\nstdout: {self.out}\nstderr: {self.err}"


def heed_signals():
    """What runs in the background, or under nohup, inherits that signals are ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Workplace:
    """A folder of its own, and the program run in it."""

    def __init__(self, path):
        self.path = path

    def run(self, *arguments, stdin=b"", timeout=30, **more):
        command = [PROGRAM, *map(str, arguments)]
        more.setdefault("stdout", subprocess.PIPE)
        more.setdefault("stderr", subprocess.PIPE)
        done = subprocess.run(command, input=stdin, cwd=self.path, timeout=timeout, **more)
        result = Result_of(done)
        assert result.status >= 0, f"ended by signal {-result.status}\n{result}"
        assert "Sanitizer" not in result.err, result
        return result

    def start(self, *arguments, **more):
        more.setdefault("preexec_fn", heed_signals)
        return subprocess.Popen([PROGRAM, *map(str, arguments)], cwd=self.path, **more)

    def write(self, name, content):
        if not isinstance(content, (str, bytes)):
            content = json.dumps(content)
        if isinstance(content, str):
            content = content.encode()
        (self.path / name).write_bytes(content)
        return name

    def load(self, name):
        return json.loads((self.path / name).read_text())

    def files(self):
        return sorted(os.listdir(self.path))


def Result_of(done):
    done.stdout = done.stdout or b""
    done.stderr = done.stderr or b""
    return Result(done)


def node_link(operations, edges, **more):
    """A node-link document; operations are (id, duration, bytes)."""
    return {
        "directed": True,
        "multigraph": False,
        "graph": {"name": "example"},
        "nodes": [{"id": i, "cost_cpu": w, "cost_ram": m} for i, w, m in operations],
        "links": [{"source": a, "target": b} for a, b in edges],
        **more,
    }


# Five operations whose input order peaks at 11; within 10, the least duration is 9: "a" comes back before "e".
EXAMPLE = node_link(
    [("a", 1, 5), ("b", 4, 3), ("c", 1, 3), ("d", 1, 1), ("e", 1, 1)],
    [("a", "b"), ("b", "c"), ("c", "d"), ("a", "e"), ("d", "e")],
)


# Enough for the example, whatever the solver can prove about it.
QUICK = ["--moves", "2000", "--threads", "1"]


@pytest.fixture(scope="session", autouse=True)
def program():
    if not os.access(PROGRAM, os.X_OK):
        pytest.exit(f"there is no program at {PROGRAM}: build it, or set MOCCASIN", returncode=2)
    return PROGRAM


@pytest.fixture
def work(tmp_path):
    return Workplace(tmp_path)


@pytest.fixture
def example(work):
    work.write("graph.json", EXAMPLE)
    return work


@pytest.fixture(scope="session")
def layered_text():
    """A random layered graph that no search is done with in a minute."""
    done = subprocess.run([PROGRAM, "generate", "layered", "--nodes", "250", "--seed", "5"], capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def layered(work, layered_text):
    work.write("graph.json", layered_text)
    return work
