"""Checkmate's mixed-integer program, as arrays that a solver can be handed.

Source: Jain, Jain, Nrusimha, Gholami, Abbeel, Keutzer, Stoica, Gonzalez, "Checkmate: Breaking the Memory Wall with Optimal
Tensor Rematerialization", MLSys 2020, sections 4.2 to 4.6. Exact, frontier-advancing form (stage t ends with node t):

    R[t,i]  node i is computed in stage t          S[t,i]  its output is kept from stage t - 1 to stage t
    FREE[t,i,k]  i is freed in stage t after k     U[t,k]  memory while k runs, or would, in stage t

    R[t,j] <= R[t,i] + S[t,i] for edges (i,j);  S[t,i] <= R[t-1,i] + S[t-1,i];  R[t,t] = 1
    U[t,0] = sum of m_i S[t,i] + m_0 R[t,0];  U[t,k+1] = U[t,k] - sum of m_i FREE[t,i,k] + m_{k+1} R[t,k+1];  U <= M
    hazards(t,i,k) = 1 - R[t,k] + S[t+1,i] + sum of R[t,j] over users j > k of i;  FREE = 1 exactly when there is none

O(n (n + m)) variables. Sizes are scaled so that the budget is 10^4 and durations so that they sum to 10^6: solvers work with
absolute tolerances of 1e-6 or so. Approximated: nothing, but the solvers compute in floating point.
"""

import numpy

# Beyond this many binaries a solver cannot be expected to fit into 8 GiB: HiGHS was seen to need 2.2 kB for each (0.93 and
# 0.29 million of them) before its search began.
MOST_BINARIES = 1_500_000
BUDGET_UNITS, DURATION_UNITS = 1e4, 1e6


def size(graph):
    """(binaries, constraints) without building anything."""
    n, cells = graph.n, graph.n * (graph.n + 1) // 2
    entries = sum(n - v for v in range(n)) + sum(n - v for _, v in graph.edges)
    depends = sum(n - v for _, v in graph.edges)
    return 2 * cells - n + entries, depends + cells - n + 2 * entries + cells


def too_large(graph):
    binaries, constraints = size(graph)
    return f"model too large: {binaries:,} binaries, {constraints:,} constraints" if binaries > MOST_BINARIES else None


class Program:
    """minimise cost x, low <= A x <= high, lower <= x <= upper; `binary` tells which are 0 or 1. A is in rows."""

    def __init__(self, graph, budget):
        n, m = graph.n, numpy.array(graph.m, float) * (BUDGET_UNITS / budget)
        self.graph = graph
        triangle = numpy.arange(n) * (numpy.arange(n) + 1) // 2
        r = lambda t, i: triangle[t] + i
        s_base = n * (n + 1) // 2
        s = lambda t, i: s_base + triangle[t] - t + i  # i < t
        u_base = s_base + n * (n - 1) // 2
        u = lambda t, k: u_base + triangle[t] + k
        self.r, self.s, self.cells = r, s, s_base
        free_base = u_base + n * (n + 1) // 2

        # What may be freed after k, by k: its inputs and itself; and the later users of each.
        entry_i, entry_k, user_entry, user_j = [], [], [], []
        for k in range(n):
            for i in [*graph.preds[k], k]:
                for j in graph.succs[i]:
                    if j > k:
                        user_entry.append(len(entry_i))
                        user_j.append(j)
                entry_i.append(i)
                entry_k.append(k)
        entry_i, entry_k = numpy.array(entry_i), numpy.array(entry_k)
        user_entry, user_j = numpy.array(user_entry, int), numpy.array(user_j, int)
        entries_until = numpy.searchsorted(entry_k, numpy.arange(n), side="right")
        edge_u = numpy.array([e[0] for e in graph.edges], int)
        edge_v = numpy.array([e[1] for e in graph.edges], int)  # ascending

        self.rows, self.cols, self.values, self.low, self.high = [], [], [], [], []
        self.row_count = 0
        inf = numpy.inf
        free_at = free_base
        for t in range(n):
            inputs = numpy.searchsorted(edge_v, t, side="right")
            a, b = edge_u[:inputs], edge_v[:inputs]
            self.add(inputs, [(r(t, b), 1.0), (r(t, a), -1.0), (s(t, a), -1.0)], -inf, 0.0)
            if t:
                i = numpy.arange(t)
                self.add(t, [(s(t, i), 1.0), (r(t - 1, i), -1.0)], -inf, 0.0)
                older = numpy.arange(t - 1)
                self.put(self.row_count - t + older, s(t - 1, older), numpy.full(t - 1, -1.0))
            count = entries_until[t]
            i, k = entry_i[:count], entry_k[:count]
            free = free_at + numpy.arange(count)
            free_at += count
            near = (user_entry < count) & (user_j <= t)
            users, of = user_j[near], user_entry[near]
            kappa = 1.0 + (t + 1 < n) + numpy.bincount(of, minlength=count)
            for weight, low, high in ((numpy.ones(count), 0.0, inf), (kappa, -inf, kappa - 1)):
                row = self.row_count
                self.add(count, [(free, weight), (r(t, k), -1.0)], low, high)
                if t + 1 < n:
                    self.put(row + numpy.arange(count), s(t + 1, i), numpy.ones(count))
                self.put(row + of, r(t, users), numpy.ones(len(of)))
            # Row k of the recurrence: U[t,k] - U[t,k-1] - m_k R[t,k] + what is freed after k - 1 = 0.
            row, ks = self.row_count, numpy.arange(t + 1)
            self.add(t + 1, [(u(t, ks), 1.0), (r(t, ks), -m[ks])], 0.0, 0.0)
            self.put(row + ks[1:], u(t, ks[:-1]), numpy.full(t, -1.0))
            kept = numpy.arange(t)
            self.put(numpy.full(t, row), s(t, kept), -m[:t])
            freed = k < t
            self.put(row + k[freed] + 1, free[freed], m[i[freed]])

        self.columns = free_at
        self.lower, self.upper = numpy.zeros(free_at), numpy.ones(free_at)
        self.upper[u_base:free_base] = BUDGET_UNITS
        self.lower[r(numpy.arange(n), numpy.arange(n))] = 1.0
        self.binary = numpy.ones(free_at, bool)
        self.binary[u_base:free_base] = False
        self.cost = numpy.zeros(free_at)
        self.scale = DURATION_UNITS / (graph.base_duration or 1)
        for t in range(n):
            self.cost[r(t, 0):r(t, 0) + t + 1] = numpy.array(graph.w[:t + 1], float) * self.scale
        rows, cols, values = (numpy.concatenate(part) for part in (self.rows, self.cols, self.values))
        order = numpy.argsort(rows, kind="stable")
        self.cols, self.values = cols[order].astype(numpy.int32), values[order]
        self.starts = numpy.concatenate([[0], numpy.cumsum(numpy.bincount(rows, minlength=self.row_count))]).astype(numpy.int32)
        self.low, self.high = numpy.concatenate(self.low), numpy.concatenate(self.high)
        del self.rows

    def add(self, count, terms, low, high):
        """Append `count` rows with one entry of each term."""
        rows = self.row_count + numpy.arange(count)
        for columns, weights in terms:
            self.put(rows, columns, numpy.broadcast_to(weights, (count,)))
        self.low.append(numpy.broadcast_to(low, (count,)).astype(float))
        self.high.append(numpy.broadcast_to(high, (count,)).astype(float))
        self.row_count += count

    def put(self, rows, columns, weights):
        self.rows.append(rows)
        self.cols.append(columns)
        self.values.append(weights)

    def pairs(self, x):
        """What a solution recomputes."""
        found, x = [], numpy.asarray(x)
        for t in range(self.graph.n):
            row = x[self.r(t, 0):self.r(t, 0) + t]
            found += [(int(p), t) for p in numpy.flatnonzero(row > 0.5)]
        return found

    def kept(self, x):
        """S as a list of rows, each with the values of S[t, 0 .. t - 1]."""
        return [x[self.s(t, 0):self.s(t, 0) + t] for t in range(self.graph.n)]

    def duration(self, objective):
        return objective / self.scale

    def highs(self, integer):
        import highspy

        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = self.columns, self.row_count
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = self.cost, self.lower, self.upper
        lp.row_lower_, lp.row_upper_ = self.low, self.high
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = self.starts, self.cols, self.values
        if integer:
            kinds = [highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger]
            lp.integrality_ = [kinds[int(b)] for b in self.binary]
        solver.passModel(lp)
        return solver


def minimal_schedule(graph, keep):
    """The pairs that computing needs when keep[t][i] says what may be kept from stage t - 1 to t.

    The second stage of Checkmate's rounding: with S fixed, the least R. What is to be kept in stage t but was not in t - 1
    has to be computed in t - 1.
    """
    pairs = set()
    for t in range(graph.n):
        needed = {t}
        if t + 1 < graph.n:
            needed |= {i for i in range(t) if keep[t + 1][i] and not keep[t][i]}
        stack = list(needed)
        while stack:
            for i in graph.preds[stack.pop()]:
                if not keep[t][i] and i not in needed:
                    needed.add(i)
                    stack.append(i)
        pairs |= {(i, t) for i in needed if i < t}
    return pairs
