#!/usr/bin/env python3
"""Checkmate's mixed-integer program (field/checkmate.py), solved by HiGHS.

Exact but for floating point: gaps are set to 0, tolerances are HiGHS's own. HiGHS is the strongest free solver that needs
no licence key; the paper used Gurobi. Schedules are read off R and told as HiGHS finds them.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import highspy  # noqa: E402

from field import checkmate, peer  # noqa: E402


def solve(task):
    if note := checkmate.too_large(task.graph):
        return task.done("too-large", note)
    program = checkmate.Program(task.graph, task.budget)
    solver = program.highs(integer=True)
    built = task.elapsed()
    for option, value in (("threads", task.threads), ("random_seed", task.seed), ("time_limit", task.left()),
                          ("mip_rel_gap", 0.0), ("mip_abs_gap", 1e-6)):
        solver.setOptionValue(option, value)

    def improved(event):
        task.pairs(program.pairs(event.data_out.mip_solution))
        task.bound(program.duration(event.data_out.mip_dual_bound))

    solver.cbMipImprovingSolution.subscribe(improved)
    solver.run()
    status, info = solver.getModelStatus(), solver.getInfo()
    binaries, constraints = checkmate.size(task.graph)
    note = f"{binaries:,} binaries, {constraints:,} constraints, built in {built:.1f} s"
    if status == highspy.HighsModelStatus.kInfeasible:
        return task.done("infeasible", note)
    if info.primal_solution_status == 2:
        task.pairs(program.pairs(solver.getSolution().col_value))
    if info.mip_dual_bound > 0:
        task.bound(program.duration(info.mip_dual_bound))
    proved = status == highspy.HighsModelStatus.kOptimal and task.best is not None
    task.done("optimal" if proved else "feasible" if task.best is not None else "none", note)


if __name__ == "__main__":
    peer.main(__doc__, ["milp"], solve)
