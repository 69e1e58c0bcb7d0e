"""What every peer does: read its task, keep its limits, and tell what it finds, one JSON object a line.

    ready                          imports are done and the graph is read: the runner's clock starts
    plan SEQUENCE                  a better schedule within budget, as places in the input order
    bound VALUE                    a lower bound on the total duration that the peer claims, as the solver prints it
    done STATUS NOTE               optimal, feasible, infeasible, none, too-large or not-applicable

Memory is limited by RLIMIT_AS: a solver that wants more fails, and the machine does not.
"""

import argparse
import json
import resource
import sys
import time

from . import graph as graphs


class Task:
    def __init__(self, arguments):
        self.budget, self.seconds = arguments.budget, arguments.seconds
        self.threads, self.seed, self.variant = arguments.threads, arguments.seed, arguments.variant
        self.path = arguments.graph
        self.graph = graphs.load(arguments.graph)
        self.best = None
        self.start = time.monotonic()

    def elapsed(self):
        return time.monotonic() - self.start

    def left(self):
        return max(0.0, self.seconds - self.elapsed())

    def say(self, what, **more):
        print(json.dumps({"event": what, **more}), flush=True)

    def plan(self, sequence):
        """Tell of a schedule if it is within budget and better than those before; whether it was."""
        sequence = [int(v) for v in sequence]
        duration, peak = self.graph.evaluate(sequence)
        if peak > self.budget or (self.best is not None and duration >= self.best):
            return False
        self.best = duration
        self.say("plan", sequence=sequence)
        return True

    def pairs(self, pairs):
        return self.plan(self.graph.staged(pairs))

    def bound(self, value):
        self.say("bound", value=value)

    def done(self, status, note=""):
        self.say("done", status=status, note=note)


def main(description, variants, solve):
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("graph")
    parser.add_argument("--budget", type=int, required=True, help="bytes")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--memory", type=float, default=8, help="GiB of address space")
    parser.add_argument("--variant", choices=variants, default=variants[0])
    arguments = parser.parse_args()
    size = int(arguments.memory * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    task = Task(arguments)
    task.say("ready")
    task.start = time.monotonic()
    try:
        solve(task)
    except MemoryError:
        task.done("out-of-memory", f"more than {arguments.memory:g} GiB wanted")
        sys.exit(0)
