#!/usr/bin/env python3
"""Checkmate's mixed-integer program (field/checkmate.py), solved by SCIP.

The second opinion on the same program: SCIP is a solver of a different kind (constraint integer programming, its own linear
solver SoPlex) and the other free one that is kept up. It works with one thread. The program goes to it through an MPS file,
which takes seconds where building it through Python takes minutes. Exact but for floating point, gaps are set to 0.
"""

import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import pyscipopt  # noqa: E402

from field import checkmate, peer  # noqa: E402


class Watch(pyscipopt.Eventhdlr):
    def __init__(self, found):
        self.found = found

    def eventinit(self):
        self.model.catchEvent(pyscipopt.SCIP_EVENTTYPE.BESTSOLFOUND, self)

    def eventexit(self):
        self.model.dropEvent(pyscipopt.SCIP_EVENTTYPE.BESTSOLFOUND, self)

    def eventexec(self, event):
        self.found()


def solve(task):
    if note := checkmate.too_large(task.graph):
        return task.done("too-large", note)
    program = checkmate.Program(task.graph, task.budget)
    model = pyscipopt.Model()
    model.hideOutput()
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "program.mps")
        program.highs(integer=True).writeModel(path)
        model.readProblem(path)
    built = task.elapsed()
    variables = {int(variable.name[1:]): variable for variable in model.getVars() if variable.name[0] == "c"}
    computed = [(p, t, variables[int(program.r(t, p))]) for t in range(task.graph.n) for p in range(t)]

    def found():
        solution = model.getBestSol()
        task.pairs([(p, t) for p, t, variable in computed if model.getSolVal(solution, variable) > 0.5])
        task.bound(program.duration(model.getDualbound()))

    model.includeEventhdlr(Watch(found), "watch", "tells of better schedules")
    model.setParams({"limits/time": task.left(), "limits/gap": 0.0, "limits/memory": 7000.0,
                     "randomization/randomseedshift": task.seed})
    model.optimize()
    status = model.getStatus()
    binaries, constraints = checkmate.size(task.graph)
    note = f"{binaries:,} binaries, {constraints:,} constraints, built in {built:.1f} s, one thread"
    if status == "infeasible":
        return task.done("infeasible", note)
    if model.getNSols():
        found()
    elif model.getDualbound() > 0 and not model.isInfinity(model.getDualbound()):
        task.bound(program.duration(model.getDualbound()))
    if status == "memlimit":
        return task.done("out-of-memory" if task.best is None else "feasible", note + "; its memory limit was reached")
    proved = status == "optimal" and task.best is not None
    task.done("optimal" if proved else "feasible" if task.best is not None else "none", note)


if __name__ == "__main__":
    peer.main(__doc__, ["milp"], solve)
