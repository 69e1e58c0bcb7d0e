#!/usr/bin/env python3
"""This project's program, in three settings.

`paper`: input order, at most two computations of an operation, as the paper's model. `default`: as a user gets it, input order,
computations left to the solver. `auto`: the order is searched, too. The times of improvements are the program's own, counted,
as for the other peers, from when the graph has been read; the plan is verified like all others.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from field import peer  # noqa: E402

PROGRAM = os.environ.get("MOCCASIN", str(ROOT / "build/release/bin/moccasin"))
SETTINGS = {"paper": ["--order", "input", "--max-computes", "2"], "default": [], "auto": ["--order", "auto"]}


def solve(task):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "plan.json"
        done = subprocess.run([PROGRAM, "solve", task.path, "--budget", str(task.budget), "--time-limit", str(task.seconds),
                               "--threads", str(task.threads), "--seed", str(task.seed), "--json", "--quiet", "-o", path,
                               *SETTINGS[task.variant]], stdout=subprocess.PIPE, text=True)
        if done.returncode not in (0, 3, 4):
            sys.exit(f"moccasin ended with status {done.returncode}")
        answer = json.loads(done.stdout) if done.stdout.strip() else json.loads(path.read_text()) if path.exists() else {}
    if answer.get("lower_bound") is not None:
        task.say("bound", value=answer["lower_bound"], exact=True)
    if done.returncode == 0:
        place = {v: i for i, v in enumerate(task.graph.ids)}
        task.say("trace", points=[[point["seconds"], point["total_duration"]] for point in answer["trace"]],
                 seconds=answer["solve_seconds"])
        task.plan(place[v] for v in answer["sequence"])
    status = {0: answer.get("status"), 3: "infeasible", 4: "none"}[done.returncode]
    task.done(status, f"{answer.get('moves', 0):,} moves, C = {answer.get('max_computes', '?')}")


if __name__ == "__main__":
    peer.main(__doc__, list(SETTINGS), solve)
