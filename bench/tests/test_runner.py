"""Peers that lie, hang, crash or want too much memory."""

import json
import sys

import pytest
from conftest import chain

READY = "import json, sys, time\nsay = lambda **e: print(json.dumps(e), flush=True)\nsay(event='ready')\n"


@pytest.fixture
def fake(study):
    path = study.write(chain(4))

    def run(code, percent=80, seconds=2):
        script = study.folder / "fake.py"
        script.write_text(READY + code)
        return study.solve("cpsat", path, percent, seconds=seconds, command=[sys.executable, script])

    return run


def test_a_plan_over_budget_is_rejected_whatever_the_peer_says(fake):
    result = fake("say(event='plan', sequence=list(range(9)))\nsay(event='done', status='optimal', note='trust me')")
    assert result["status"] == "none" and result["duration"] is None and "above" in result["rejected"][0], result


def test_a_sequence_that_cannot_run_is_rejected(fake):
    result = fake("say(event='plan', sequence=[1, 0, 2, 3, 4, 5, 6, 7, 8])\nsay(event='done', status='feasible', note='')", 100)
    assert result["duration"] is None and len(result["rejected"]) == 1, result


def test_figures_are_the_verifiers(fake):
    result = fake("say(event='plan', sequence=list(range(9)), duration=1, peak=1)\n"
                  "say(event='done', status='feasible', note='')", 100)
    assert result["duration"] == result["base_duration"] and result["peak"] == result["base_peak"], result
    assert result["tdi"] == 0 and result["curve"][0][1] == result["duration"]


def test_a_peer_that_hangs_is_ended_and_keeps_its_plan(fake):
    result = fake("say(event='plan', sequence=list(range(9)))\ntime.sleep(1000)", 100, seconds=0.5)
    assert result["status"] == "feasible" and "stopped" in result["note"], result
    assert result["solve_seconds"] < 20


def test_plans_after_the_limit_do_not_count(fake):
    result = fake("time.sleep(2)\nsay(event='plan', sequence=list(range(9)))\nsay(event='done', status='feasible', note='')", 100,
                  seconds=0.5)
    assert result["late"] == 1 and result["duration"] is None and result["status"] == "none", result


def test_a_crash_is_told(fake):
    result = fake("raise RuntimeError('broken in a new way')")
    assert result["status"] == "crashed" and "broken in a new way" in result["note"], result


def test_memory_is_limited(study):
    path = study.write(chain(4))
    script = study.folder / "greedy.py"
    script.write_text(f"import sys\nsys.path.insert(0, {json.dumps(str(study_root()))})\nfrom field import peer\n"
                      "peer.main('takes too much', ['full'], lambda task: [bytes(2**30) for _ in range(100)])\n")
    result = study.solve("cpsat", path, 80, seconds=20, command=[sys.executable, script])
    assert result["status"] == "out-of-memory", result


def study_root():
    import pathlib
    return pathlib.Path(__file__).resolve().parents[1]


def test_what_solvers_print_does_no_harm(fake):
    result = fake("print('Running a solver')\nprint('{\"event\"')\nprint('[]')\nsay(event='done', status='none', note='x')")
    assert result["status"] == "none" and result["note"] == "x", result
