#!/usr/bin/env python3
"""Moccasin's own model, solved by OR-Tools CP-SAT.

Source: Bartan, Li, Teague, Lott, Dilkina, "Moccasin: Efficient Tensor Rematerialization for Neural Networks", ICML 2023,
sections 2.2 to 2.4. Exact: retention intervals with start, length, end and a presence Boolean, C = 2 of each node; staged events
of the input order as start domains; memory as a cumulative constraint with a capacity; precedence as a reservoir for each
edge and instance of the reader; phase 1 minimises max(peak, M), with the input order as it is for a start, phase 2 the
duration with peak <= M, with phase 1's solution for a hint; sizes and durations divided by their greatest common divisors. The variant `log` restricts lengths to 5 n values
spaced evenly in logarithm from 1 to the horizon, as the authors' experiments did, so its proofs hold for that restriction only.

Approximated: nothing. Parameters: workers = threads (the paper used 16 cores), random seed, time limit over both phases, one
round of presolve without probing.
"""

import bisect
import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from ortools.sat.python import cp_model  # noqa: E402

from field import peer  # noqa: E402

COMPUTES = 2


class Model:
    def __init__(self, graph, budget, log_lengths):
        n = graph.n
        self.graph = graph
        self.unit = math.gcd(*graph.m) or 1
        self.tick = math.gcd(*graph.w) or 1
        self.budget = budget // self.unit
        sizes = [size // self.unit for size in graph.m]
        horizon = n * (n + 1) // 2
        event = lambda k, p: k * (k + 1) // 2 + p
        model = self.model = cp_model.CpModel()
        if log_lengths:
            count = 5 * n
            values = {min(horizon, max(1, int(math.exp(math.log(horizon) * i / (count - 1))))) for i in range(count)}
            self.lengths = sorted(values | {horizon})
            domain_of_lengths = cp_model.Domain.from_values(self.lengths)
        else:
            self.lengths, domain_of_lengths = None, cp_model.Domain(1, horizon)
        self.start, self.end, self.length, self.present, self.hinted = [], [], [], [], []
        intervals, demands = [], []
        for p in range(n):
            starts, ends, presents, spans = [], [], [], []
            domain = cp_model.Domain.from_values([event(k, p) for k in range(p, n)])
            for i in range(COMPUTES):
                if i == 0:
                    start, present = event(p, p), model.new_constant(1)
                else:
                    start = model.new_int_var_from_domain(domain, f"s{p}.{i}")
                    present = model.new_bool_var(f"a{p}.{i}")
                    self.hinted += [start, present]
                length = model.new_int_var_from_domain(domain_of_lengths, f"l{p}.{i}")
                spans.append(length)
                end = model.new_int_var(1, 2 * horizon, f"e{p}.{i}")
                self.hinted += [length, end]
                intervals.append(model.new_optional_interval_var(start, length, end, present, f"i{p}.{i}"))
                demands.append(sizes[p])
                if i:
                    model.add(ends[-1] <= start).only_enforce_if(present)
                    if i > 1:
                        model.add_implication(present, presents[-1])
                starts.append(start)
                ends.append(end)
                presents.append(present)
            self.start.append(starts)
            self.end.append(ends)
            self.present.append(presents)
            self.length.append(spans)
        self.peak = model.new_int_var(0, COMPUTES * sum(sizes), "peak")
        model.add_cumulative(intervals, demands, self.peak)
        # A reader takes the token of an instance that has started and not ended, and puts it back after its step.
        for u, v in graph.edges:
            for j in range(COMPUTES):
                times, changes, active = [], [], []
                for i in range(COMPUTES):
                    times += [self.start[u][i] + 1, self.end[u][i]]
                    changes += [1, -1]
                    active += [self.present[u][i]] * 2
                times += [self.start[v][j], self.start[v][j] + 1]
                changes += [-1, 1]
                active += [self.present[v][j]] * 2
                model.add_reservoir_constraint_with_active(times, changes, active, 0, COMPUTES + 1)
        extra = [(self.present[p][i], graph.w[p] // self.tick) for p in range(n) for i in range(1, COMPUTES)]
        self.extra = cp_model.LinearExpr.weighted_sum([a for a, _ in extra], [w for _, w in extra])

    def hint_input_order(self):
        """The schedule without recomputation: ends at the last reader, lengths of the restricted domain at least that."""
        event = lambda k: k * (k + 1) // 2 + k
        for p in range(self.graph.n):
            start = event(p)
            least = event(max(self.graph.succs[p], default=p)) + 1 - start
            length = least if self.lengths is None else self.lengths[bisect.bisect_left(self.lengths, least)]
            self.model.add_hint(self.length[p][0], length)
            self.model.add_hint(self.end[p][0], start + length)
            for i in range(1, COMPUTES):
                for variable, value in ((self.present[p][i], 0), (self.start[p][i], start), (self.length[p][i], 1),
                                        (self.end[p][i], start + 1)):
                    self.model.add_hint(variable, value)

    def pairs(self, value):
        found = []
        for p in range(self.graph.n):
            for i in range(1, COMPUTES):
                if value(self.present[p][i]):
                    at = value(self.start[p][i])
                    k = (math.isqrt(8 * at + 1) - 1) // 2
                    if k > p:
                        found.append((p, k))
        return found


class Watch(cp_model.CpSolverSolutionCallback):
    """Tells of every solution as it comes; in phase 1 stops the search as soon as one is within budget."""

    def __init__(self, task, model, phase):
        super().__init__()
        self.task, self.model, self.phase = task, model, phase

    def on_solution_callback(self):
        pairs = self.model.pairs(self.value)
        self.task.pairs(pairs)
        if self.phase == 1:
            if self.value(self.model.peak) <= self.model.budget:
                self.stop_search()
        else:
            self.task.bound(self.task.graph.base_duration + self.best_objective_bound * self.model.tick)


def solve(task):
    model = Model(task.graph, task.budget, task.variant == "log")
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = task.threads
    solver.parameters.random_seed = task.seed
    # With all of its presolve CP-SAT spends 20 s on 250 nodes before it begins; one round without probing served it best.
    solver.parameters.max_presolve_iterations = 1
    solver.parameters.cp_model_probing_level = 0
    excess = model.model.new_int_var(model.budget, max(model.budget, COMPUTES * sum(task.graph.m)), "excess")
    model.model.add(excess >= model.peak)
    model.model.minimize(excess)
    model.hint_input_order()
    model.model.add_hint(model.peak, task.graph.base_peak // model.unit)
    model.model.add_hint(excess, max(model.budget, task.graph.base_peak // model.unit))
    built = task.elapsed()
    solver.parameters.max_time_in_seconds = task.left()
    status = solver.solve(model.model, Watch(task, model, 1))
    if status == cp_model.INFEASIBLE:
        return task.done("infeasible", "phase 1")
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return task.done("none", f"phase 1 found no schedule at all; built in {built:.1f} s")
    if solver.value(model.peak) > model.budget:
        if status == cp_model.OPTIMAL:
            return task.done("infeasible", f"phase 1 proved that C = {COMPUTES} is not enough")
        return task.done("none", f"phase 1 ended {100 * (solver.value(model.peak) / model.budget - 1):.2f} % over budget; "
                                 f"built in {built:.1f} s")
    first = task.elapsed()
    model.model.clear_hints()
    for variable in model.hinted:
        model.model.add_hint(variable, solver.value(variable))
    model.model.add(model.peak <= model.budget)
    model.model.clear_objective()
    model.model.minimize(model.extra)
    solver.parameters.max_time_in_seconds = task.left()
    if not task.left():
        return task.done("feasible", "no time was left for phase 2")
    status = solver.solve(model.model, Watch(task, model, 2))
    note = f"built in {built:.1f} s, phase 1 ended after {first:.1f} s"
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        task.pairs(model.pairs(solver.value))
    task.bound(task.graph.base_duration + solver.best_objective_bound * model.tick)
    task.done("optimal" if status == cp_model.OPTIMAL else "feasible" if task.best is not None else "none", note)


if __name__ == "__main__":
    peer.main(__doc__, ["full", "log"], solve)
