"""bench/run and bench/report from outside: usage, resuming, what they write."""

import csv
import json

import pytest
from conftest import chain

from field import instances

CHEAP = "moccasin,fastsa,chen-greedy,pytorch-dp"


@pytest.mark.parametrize("arguments, says", [
    ([], "required"),
    (["--quick", "--full"], "not allowed"),
    (["--quick", "--peers", "gurobi"], "there is no peer gurobi"),
    (["--quick", "--experiments", "everything"], "there is no experiment everything"),
    (["--quick", "--instances", "nowhere:80"], "there is no graph nowhere"),
    (["--quick", "--instances", "layered-100:0"], "expected NAME or NAME:PERCENT"),
    (["--quick", "--instances", "layered-100:x"], "expected NAME or NAME:PERCENT"),
    (["--quick", "--graphs", "/nowhere/at/all"], "there is no folder"),
    (["--quick", "--seconds", "0"], "positive"),
    (["--quick", "--seconds", "soon"], "invalid float"),
])
def test_bad_usage(study, arguments, says):
    done = study.run(*arguments)
    assert done.returncode == 2 and says in done.stderr and not done.stdout, done


def test_bad_folders(study):
    (study.folder / "empty").mkdir()
    done = study.run("--quick", "--graphs", study.folder / "empty")
    assert done.returncode == 2 and "no graphs" in done.stderr, done
    (study.folder / "file").write_text("")
    done = study.run("--quick", "--results", study.folder / "file")
    assert done.returncode == 2 and "no folder" in done.stderr, done
    study.write([], "broken")
    done = study.run("--full", "--graphs", study.folder / "graphs", "--results", study.folder / "r", "--experiments", "table")
    assert done.returncode == 2 and "broken.json" in done.stderr, done


def test_a_missing_program(study):
    done = study.run("--quick", "--results", study.folder / "r", MOCCASIN="/nowhere/moccasin")
    assert done.returncode == 1 and "build it with" in done.stderr, done


def document_of(study):
    path = study.folder / "other.json"
    path.write_text("[]")
    return path


def test_resuming_and_what_is_written(study):
    study.write(chain(10), "step")
    layers = instances.generated("layered-100", instances.OWN["layered-100"])
    study.write(json.loads(layers.read_text()), "layers")
    results = study.folder / "results"
    command = ["--full", "--graphs", study.folder / "graphs", "--results", results, "--seconds", 0.5, "--peers", CHEAP,
               "--experiments", "table"]
    done = study.run(*command)
    assert done.returncode == 0 and "16 of 16 runs to do" in done.stderr and not done.stdout, done
    runs = sorted((results / "runs").iterdir())
    assert len(runs) == 16 and all(path.suffix == ".json" for path in runs)
    stamps = {path.name: path.stat().st_mtime_ns for path in runs}

    data = json.loads((results / "results.json").read_text())
    assert data["machine"]["cores"] >= 1 and data["versions"]["ortools"] and data["versions"]["moccasin"]
    assert len(data["results"]) == 16
    for result in data["results"]:
        assert result["seed"] == 1 and result["threads"] == 2 and result["seconds"] == 0.5
        assert not result["rejected"], result
        assert result["peak"] is None or result["peak"] <= result["budget"]
        if result["graph"] == "layers" and result["peer"] in ("chen-greedy", "pytorch-dp"):
            assert result["status"] == "not-applicable"
    with open(results / "results.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["graph"], row["percent"], row["peer"], row["duration"]) for row in rows] == \
        [(r["graph"], str(r["percent"]), r["peer"], "" if r["duration"] is None else str(r["duration"])) for r in data["results"]]
    assert str(study.folder) not in (results / "results.json").read_text()

    lost = runs[5].name
    runs[5].unlink()
    done = study.run(*command)
    assert "1 of 16 runs to do" in done.stderr, done
    after = {path.name: path.stat().st_mtime_ns for path in (results / "runs").iterdir()}
    assert set(after) == set(stamps) and {name for name in after if after[name] != stamps[name]} == {lost}
    done = study.run(*command, "--instances", "step:80", "--peers", "pytorch-dp", "--again")
    assert "1 of 1 runs to do" in done.stderr, done
    done = study.run(*command, "--instances", "step:80", "--peers", "pytorch-dp", "--seed", "2")
    assert "1 of 1 runs to do" in done.stderr and len(list((results / "runs").iterdir())) == 17, done

    moved = study.folder / "moved"
    done = study.run(*[moved if part == results else part for part in command], "--record", results / "results.json")
    assert done.returncode == 0 and "0 of 16 runs to do" in done.stderr, done
    assert sorted(path.name for path in (moved / "runs").iterdir()) == sorted(path.name for path in (results / "runs").iterdir())
    done = study.run(*command, "--record", document_of(study))
    assert done.returncode == 2 and "not the results.json of a study" in done.stderr, done

    (results / "reasons.json").write_text(json.dumps({"step.80.fastsa": "Because of a reason."}))
    document = study.folder / "doc" / "benchmarks.md"
    done = study.run(results, "-o", document, "--figures", study.folder / "doc" / "images", script="report")
    assert done.returncode == 0, done
    text = document.read_text()
    assert "## The paper's table" in text and "| step |" in text and "layers" in text and "made for 600 s" in text and str(study.folder) not in text
    for name in ("curves", "profile"):
        assert (study.folder / "doc" / "images" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
        assert "<svg" in (study.folder / "doc" / "images" / f"{name}.svg").read_text()
        assert f"images/{name}.png" in text


def test_a_report_without_results(study):
    done = study.run(study.folder, "-o", study.folder / "x.md", script="report")
    assert done.returncode == 2 and "no results" in done.stderr and not (study.folder / "x.md").exists(), done
