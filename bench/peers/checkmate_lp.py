#!/usr/bin/env python3
"""Checkmate's approximation: its program's linear relaxation, rounded in two stages.

Source: Jain et al., MLSys 2020, section 5 and appendix (field/checkmate.py has the program). Exact: the relaxation solved with
an allowance (a budget lowered to (1 - e) M), S rounded at 1/2 or at random with S as probability, then the least R for that S. The
paper searches a few e; here e = 0, 0.05, 0.1, 0.2, 0.3 in turn, and for each the threshold 1/2, thresholds 0.1 to 0.9, and
random roundings, 20 at most; the best schedule within M counts. The relaxation at e = 0 also gives a lower bound (in floating
point). Solved by HiGHS's simplex method, which was the fastest of those it has.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import highspy  # noqa: E402
import numpy  # noqa: E402

from field import checkmate, peer  # noqa: E402

ALLOWANCES = (0.0, 0.05, 0.1, 0.2, 0.3)
RANDOM_ROUNDINGS = 20


def solve(task):
    if note := checkmate.too_large(task.graph):
        return task.done("too-large", note)
    random = numpy.random.default_rng(task.seed)
    solved = 0
    for allowance in ALLOWANCES:
        if not task.left():
            break
        program = checkmate.Program(task.graph, task.budget * (1 - allowance))
        solver = program.highs(integer=False)
        for option, value in (("threads", task.threads), ("time_limit", task.left()), ("solver", "simplex"),
                              ("random_seed", task.seed)):
            solver.setOptionValue(option, value)
        solver.run()
        status = solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            if allowance == 0.0:
                return task.done("infeasible", "the relaxation has no solution")
            break
        if status != highspy.HighsModelStatus.kOptimal:
            break
        solved += 1
        if allowance == 0.0:
            task.bound(program.duration(solver.getInfo().objective_function_value))
        kept = program.kept(numpy.asarray(solver.getSolution().col_value))
        thresholds = [0.5] + [share / 10 for share in range(1, 10) if share != 5]
        roundings = [[row > threshold for row in kept] for threshold in thresholds]
        for number in range(len(thresholds) + RANDOM_ROUNDINGS):
            if not task.left():
                break
            keep = roundings[number] if number < len(thresholds) else [random.random(len(row)) < row for row in kept]
            task.pairs(checkmate.minimal_schedule(task.graph, keep))
    task.done("feasible" if task.best is not None else "none", f"{solved} of {len(ALLOWANCES)} relaxations solved in time")


if __name__ == "__main__":
    peer.main(__doc__, ["lp"], solve)
