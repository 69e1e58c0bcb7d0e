#!/usr/bin/env python3
"""FastSA: annealing with an add-max segment tree, NeurIPS 2023. fastsa.c is the program, and says what is from the paper.

One process a thread, each with a seed of its own (the paper's program has one thread); the best schedule counts. It searches the
order, so its schedules may be shorter than any in the input order.
"""

import os
import pathlib
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from field import peer  # noqa: E402

PROGRAM = os.environ.get("FASTSA", str(ROOT / "build/release/bin/bench_fastsa"))


def solve(task):
    graph, lock = task.graph, threading.Lock()
    text = "".join([*(f"{w} {m}\n" for w, m in zip(graph.w, graph.m)), *(f"{u} {v}\n" for u, v in graph.edges)])
    moves = []

    def run(number):
        seconds = task.left()
        process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        process.stdin.write(f"{graph.n} {len(graph.edges)} {task.budget} {round(1e6 * seconds)} {task.seed * 1000 + number}\n{text}")
        process.stdin.close()
        for line in process.stdout:
            word, *rest = line.split()
            if word == "plan":
                with lock:
                    task.plan(int(v) for v in rest[2:])
            elif word == "end":
                moves.append(int(rest[0]))
        if process.wait() != 0:
            raise RuntimeError(f"{PROGRAM} ended with status {process.returncode}")

    workers = [threading.Thread(target=run, args=(number,)) for number in range(task.threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if len(moves) != task.threads:
        sys.exit("fastsa: the program failed")
    task.done("feasible" if task.best is not None else "none", f"{sum(moves):,} moves")


if __name__ == "__main__":
    peer.main(__doc__, ["sa"], solve)
