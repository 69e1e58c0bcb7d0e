"""Help, version, and mistakes in the command line itself."""

import re

import pytest

COMMANDS = ["solve", "sweep", "verify", "info", "generate", "convert"]
SOLVE_OPTIONS = ["budget", "output", "report", "json", "quiet", "time-limit", "threads", "seed", "max-computes", "order",
                 "moves", "help"]
KINDS = ["layered", "chain", "unet", "transformer"]


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
def test_help_lists_the_commands(work, arguments):
    r = work.run(*arguments)
    assert r.status == 0 and r.err == ""
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", r.out, re.M), command


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(work, command):
    r = work.run(command, "--help")
    assert r.status == 0 and r.err == ""
    assert r.out.startswith(f"Usage: moccasin {command} [OPTION...]")
    assert "Examples:" in r.out and f"moccasin {command}" in r.out.split("Examples:")[1]
    assert all(line.startswith("  ") for line in r.out.split("Examples:\n")[1].splitlines() if line), r.out  # none is broken
    assert max(map(len, r.out.splitlines())) < 80
    assert work.run("help", command).out == r.out
    assert work.run(command, "-h").out == r.out


def test_help_of_solve_has_every_option_with_its_default(work):
    out = work.run("solve", "--help").out
    for option in SOLVE_OPTIONS:
        assert f"--{option}" in out, option
    assert "(default 60)" in out and "(default input)" in out and "(default 1)" in out


@pytest.mark.parametrize("kind", KINDS)
def test_help_of_a_kind(work, kind):
    assert re.search(rf"^  {kind}$", work.run("generate", "--help").out, re.M)
    r = work.run("generate", kind, "--help")
    assert r.status == 0
    assert r.out.startswith(f"Usage: moccasin generate {kind} [OPTION...]")
    assert "--seed" in r.out and "(default " in r.out


def test_version(work):
    r = work.run("--version")
    assert r.status == 0 and re.fullmatch(r"moccasin \d+\.\d+\.\d+\n", r.out)
    assert work.run("-V").out == r.out


def test_without_arguments_the_help_is_an_error(work):
    r = work.run()
    assert r.status == 2 and r.out == "" and "Usage:" in r.err


@pytest.mark.parametrize("word, meant", [("sovle", "solve"), ("verfy", "verify"), ("information", "info"), ("Solve", "solve")])
def test_unknown_command(work, word, meant):
    r = work.run(word)
    assert r.status == 2 and r.out == ""
    assert f'there is no command "{word}"' in r.err
    if word != "information":
        assert f'did you mean "{meant}"?' in r.err


def test_unknown_kind(work):
    r = work.run("generate", "layerd")
    assert r.status == 2 and 'did you mean "layered"?' in r.err


MISTAKES = [
    (["solve"], "expected a GRAPH"),
    (["solve", "graph.json"], "expected --budget B: bytes (13484795520)"),
    (["solve", "graph.json", "-b", "10", "other.json"], 'expected one GRAPH, but "other.json" follows "graph.json"'),
    (["solve", "graph.json", "-b", "10", "--bugdet", "3"], "--bugdet"),
    (["solve", "graph.json", "-b"], "requires an argument"),
    (["solve", "graph.json", "-b", "10", "--threads", "x"], "--threads: expected a whole number from 0 to "),
    (["solve", "graph.json", "-b", "10", "--threads", "-1"], "--threads: expected"),
    (["solve", "graph.json", "-b", "10", "--threads", "100000"], "--threads: expected"),
    (["solve", "graph.json", "-b", "10", "--threads", "1.5"], "--threads: expected"),
    (["solve", "graph.json", "-b", "10", "--threads", ""], "--threads: expected"),
    (["solve", "graph.json", "-b", "10", "--time-limit", "-1"], "--time-limit: expected a number from 0 to "),
    (["solve", "graph.json", "-b", "10", "--time-limit", "nan"], "--time-limit: expected"),
    (["solve", "graph.json", "-b", "10", "--time-limit", "1e99"], "--time-limit: expected"),
    (["solve", "graph.json", "-b", "10", "--time-limit", "10s"], "--time-limit: expected"),
    (["solve", "graph.json", "-b", "10", "--seed", "-1"], "--seed: expected a whole number from 0 to 18446744073709551615"),
    (["solve", "graph.json", "-b", "10", "--seed", "18446744073709551616"], "--seed: expected"),
    (["solve", "graph.json", "-b", "10", "--max-computes", "1025"], "--max-computes: expected a whole number from 0 to 1024"),
    (["solve", "graph.json", "-b", "10", "--moves", "9223372036854775808"], "--moves: expected"),
    (["solve", "graph.json", "-b", "10", "--order", "best"], '--order: expected "input" or "auto", not "best"'),
    (["solve", "graph.json", "-b", "10", "--report", "r.png"], "ends in .svg or .html"),
    (["solve", "graph.json", "-b", "10", "-o", "r.svg", "--report", "r.svg"], "name the same file"),
    (["verify", "graph.json"], "expected a GRAPH and a PLAN"),
    (["verify", "-", "-"], "standard input cannot be both"),
    (["verify", "a", "b", "c"], '"c" follows'),
    (["info"], "expected a GRAPH"),
    (["info", "a", "b"], '"b" follows "a"'),
    (["generate"], "expected a KIND"),
    (["generate", "--seed", "3", "layered"], "the KIND comes before the options"),
    (["generate", "layered", "more"], '"more"'),
    (["generate", "layered", "--nodes", "0"], "--nodes: expected a whole number from "),
    (["generate", "layered", "--nodes", "many"], "--nodes: expected a whole number from "),
    (["generate", "layered", "--seed", "x"], "--seed: expected"),
    (["generate", "layered", "--format", "xml"], "--format: expected moccasin, node-link or dot"),
    (["convert", "graph.json"], "expected IN and OUT"),
    (["convert", "graph.json", "out", "--to", "onnx"], "--to: expected moccasin, node-link or dot"),
    (["--generate", "html"], "--generate: expected man or complete-bash"),
    (["--generate"], "--generate: expected man or complete-bash"),
    (["--verbose"], 'there is no option "--verbose"'),
    (["help", "me"], 'there is no command "me"'),
]


@pytest.mark.parametrize("arguments, message", MISTAKES, ids=lambda v: " ".join(v) if isinstance(v, list) else None)
def test_mistake(example, arguments, message):
    before = example.files()
    r = example.run(*arguments)
    assert r.status == 2, r
    assert r.out == ""
    assert message in r.err, r
    assert r.err.startswith("moccasin")
    assert example.files() == before


def test_long_options_may_be_abbreviated(example):
    r = example.run("solve", "graph.json", "--bud", "10", "--js", "--mov", "2000", "--thr=1")
    assert r.status == 0 and r.json()["total_duration"] == 9
