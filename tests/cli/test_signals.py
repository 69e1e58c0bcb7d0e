"""Signals and progress."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
import time

import pytest


def start_and_wait_for_a_plan(work, *more):
    """A solve that would take a minute, once it has told of its first plan."""
    process = work.start("solve", "graph.json", "-b", "80%", "--time-limit", "60", "-o", "plan.json", *more,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    line = process.stderr.readline()
    assert b"duration" in line, line
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_in_good_order(layered, number):
    process = start_and_wait_for_a_plan(layered, "--json")
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 0, err
    plan = layered.load("plan.json")
    assert plan["status"] == "feasible" == json.loads(out)["status"]
    assert layered.files() == ["graph.json", "plan.json"]
    assert layered.run("verify", "graph.json", "plan.json", "-b", "80%").status == 0


def test_the_summary_tells_of_the_signal(layered):
    process = start_and_wait_for_a_plan(layered)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 0 and b"stopped by a signal" in out


def test_signal_before_any_plan(layered):
    process = layered.start("solve", "graph.json", "-b", "45%", "--max-computes", "3", "-o", "plan.json",
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 4 and out == b"" and b"a signal stopped the search" in err
    assert layered.files() == ["graph.json"]


def test_a_second_signal_ends_the_program_at_once(layered):
    process = start_and_wait_for_a_plan(layered)
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):  # both arrive together
        process.send_signal(number)
    process.communicate(timeout=10)
    assert process.returncode in (-signal.SIGINT, -signal.SIGTERM)
    assert layered.files() == ["graph.json"]


def test_signal_works_where_the_parent_ignores_it(layered):
    """Shells start the background jobs of scripts with SIGINT ignored."""
    process = layered.start("solve", "graph.json", "-b", "80%", "-o", "plan.json", stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert b"duration" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 0


def test_nohup_is_respected(layered):
    process = layered.start("solve", "graph.json", "-b", "80%", "--time-limit", "1.5", "--json", stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.stderr.readline()
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 0 and json.loads(out)["solve_seconds"] > 1


def test_a_reader_that_goes_away_costs_no_plan(layered):
    """Standard error closed by its reader in the middle of a solve."""
    process = layered.start("solve", "graph.json", "-b", "80%", "--time-limit", "1", "-o", "plan.json",
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    process.stderr.readline()
    process.stderr.close()
    assert process.wait(timeout=10) == 0
    assert layered.run("verify", "graph.json", "plan.json").status == 0


def test_closed_standard_output(example):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as out:
        r = example.run("info", "graph.json", stdout=out)
    assert r.status == 1 and r.err == ""
    r = example.run("info", "graph.json", stdout=None, preexec_fn=lambda: os.close(1))
    assert r.status == 1


def test_progress_on_a_pipe(layered):
    r = layered.run("solve", "graph.json", "-b", "80%", "--time-limit", "1", "--json")
    assert r.status == 0
    lines = r.err.splitlines()
    assert lines and "\r" not in r.err and "\x1b" not in r.err
    durations = []
    for line in lines:
        for words in (" s ", "duration", "TDI", "bound", "gap", "peak", "budget"):
            assert words in line, (words, line)
        durations.append(int(line.split("duration ")[1].split()[0]))
    assert durations == sorted(durations, reverse=True)
    assert durations[-1] == r.json()["total_duration"]


def test_quiet(layered):
    r = layered.run("solve", "graph.json", "-b", "80%", "--time-limit", "0.5", "--quiet")
    assert r.status == 0 and r.err == "" and "TDI" in r.out


def on_a_terminal(layered, *more, environment=None):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    process = layered.start("solve", "graph.json", "-b", "80%", "--time-limit", "1", *more, stdout=subprocess.PIPE,
                            stderr=slave, env=environment)
    os.close(slave)
    seen = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:  # the other end is gone
            break
        if not part:
            break
        seen += part
    os.close(master)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    return seen.decode(), out.decode()


def test_progress_on_a_terminal(layered):
    seen, out = on_a_terminal(layered, environment={**os.environ, "TERM": "xterm"})
    assert "\n" not in seen
    drawings = [line for line in seen.split("\r") if line.strip("\x1b[K")]
    assert 2 <= len(drawings) <= 14
    for drawing in drawings:
        assert drawing.endswith("\x1b[K") and len(drawing) - 3 < 60
    assert seen.endswith("\r\x1b[K")  # nothing of it stays
    assert "TDI" in out


def test_progress_on_a_terminal_without_cursor(layered):
    seen, _ = on_a_terminal(layered, environment={**os.environ, "TERM": "dumb"})
    assert "\x1b" not in seen and "duration" in seen
