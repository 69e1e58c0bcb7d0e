"""The figures, as SVG and PNG: duration over time, performance profile, scaling, budget sweep. Colours belong to peers."""

import math
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.ticker import FuncFormatter, NullFormatter  # noqa: E402

from . import instances, study  # noqa: E402

STYLE = {
    "moccasin": ("#c1121f", "-", 2.4), "moccasin-default": ("#e85d04", "-", 1.8), "moccasin-auto": ("#7b2cbf", "-", 2.4),
    "cpsat": ("#0077b6", "-", 1.8), "cpsat-log": ("#48bfe3", "--", 1.5), "checkmate-highs": ("#2d6a4f", "-", 1.8),
    "checkmate-scip": ("#74c69d", "--", 1.5), "checkmate-lp": ("#95a216", ":", 1.8), "fastsa": ("#6c757d", "-", 1.8),
    "chen-sqrt": ("#bc6c25", ":", 1.5), "chen-greedy": ("#bc6c25", "--", 1.5), "pytorch-dp": ("#000000", "--", 1.5),
    "pytorch-greedy": ("#000000", ":", 1.5),
}
plt.rcParams.update({"font.size": 9, "axes.titlesize": 9.5, "axes.grid": True, "grid.color": "#e4e4e4", "grid.linewidth": 0.6,
                     "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "moccasin", "svg.fonttype": "path",
                     "figure.facecolor": "white", "axes.axisbelow": True})


def line(peer, **more):
    colour, dashes, width = STYLE[peer]
    return dict(color=colour, linestyle=dashes, linewidth=width, zorder=3 if peer.startswith("moccasin") else 2, **more)


def plain(value, _=None):
    return f"{value:g}"


def seconds_axis(axis, low, high):
    axis.set_xscale("log")
    axis.set_xlim(low, high)
    axis.xaxis.set_major_formatter(FuncFormatter(plain))
    axis.xaxis.set_minor_formatter(NullFormatter())


def ticks(low, high):
    """Round values of a logarithmic axis, three to seven of them where there is room."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        found = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
        if len(found) >= 3:
            break
    return found


def tdi_axis(axis, values, ends):
    """Logarithmic from the best end up to 30 times as much, with a linear foot if something ends at 0."""
    ends = sorted(ends)
    best = next((v for v in ends if v > 0), 0.1)
    top = max(min(max(values, default=1), 30 * best), 2 * best)
    if ends and ends[0] == 0:
        axis.set_yscale("symlog", linthresh=best / 2, linscale=0.5)
        low = best / 2
        axis.set_ylim(-0.12 * best, top * 1.3)
    else:
        low = best * 0.8
        axis.set_yscale("log")
        axis.set_ylim(low, top * 1.3)
    axis.set_yticks(([0] if ends and ends[0] == 0 else []) + ticks(low, top * 1.3))
    axis.yaxis.set_major_formatter(FuncFormatter(plain))
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.minorticks_off() if ends and ends[0] == 0 else None


def save(figure, folder, name):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.png", dpi=110)
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)


def legend(figure, peers, columns):
    handles = [Line2D([], [], **{k: v for k, v in line(peer).items() if k != "zorder"}) for peer in peers]
    figure.legend(handles, [instances.PEERS[peer].label for peer in peers], loc="lower center", ncol=columns, frameon=False)


def present(results):
    names = {r["peer"] for r in results}
    return [peer for peer in instances.PEERS if peer in names]


def curves(results, folder):
    """TDI over time, one panel an instance."""
    cases = study.cases(results)
    columns = min(4, max(1, math.ceil(math.sqrt(len(cases)))))
    rows = math.ceil(len(cases) / columns)
    figure, axes = plt.subplots(rows, columns, figsize=(3.3 * columns, 2.5 * rows + 1.1), squeeze=False)
    limit = max(r["seconds"] for r in results)
    shown = [peer for peer in present(results) if any(r["peer"] == peer and r["curve"] for r in results)]
    for axis, ((graph, percent), group) in zip(axes.flat, cases.items()):
        values = []
        for result in group:
            if not result["curve"]:
                continue
            base = result["base_duration"]
            points = [(max(t, 0.001), 100 * (d / base - 1)) for t, d in result["curve"]]
            values += [y for _, y in points]
            x = [t for t, _ in points] + [limit * 1.3]
            y = [v for _, v in points] + [points[-1][1]]
            axis.step(x, y, where="post", **line(result["peer"]))
            axis.plot(*points[-1], marker="o", markersize=3.5, color=STYLE[result["peer"]][0], zorder=4)
        seconds_axis(axis, 0.001, limit * 1.3)
        tdi_axis(axis, values, [r["tdi"] for r in group if r["tdi"] is not None])
        axis.set_title(f"{graph}, {percent} %")
    for axis in list(axes.flat)[len(cases):]:
        axis.set_visible(False)
    for row in axes:
        row[0].set_ylabel("extra duration, TDI in %")
    for axis in axes[-1]:
        axis.set_xlabel("seconds")
    wide = max(2, columns)
    legend(figure, shown, wide)
    figure.tight_layout(rect=(0, (0.15 + 0.2 * math.ceil(len(shown) / wide)) / (2.5 * rows + 1.1), 1, 1))
    save(figure, folder, "curves")


def profile(results, folder):
    """Which share of the instances a peer has solved to within 1 % of the best, over time."""
    figure, axis = plt.subplots(figsize=(7.2, 4.4))
    limit, cases = max(r["seconds"] for r in results), study.cases(results)
    for peer in present(results):
        times = []
        applies = 0
        for group in cases.values():
            mine = next((r for r in group if r["peer"] == peer and r["status"] != "not-applicable"), None)
            if mine is None:
                continue
            applies += 1
            target = study.target(group)
            reached = study.time_to(mine, target) if target is not None else None
            if reached is not None:
                times.append(max(reached, 0.001))
        if not applies:
            continue
        times.sort()
        x = [0.0005] + times + [limit * 1.3]
        y = [0] + [100 * (i + 1) / len(cases) for i in range(len(times))] + [100 * len(times) / len(cases)]
        axis.step(x, y, where="post", label=instances.PEERS[peer].label, **line(peer))
    seconds_axis(axis, 0.001, limit * 1.3)
    axis.set_ylim(-2, 103)
    axis.set_xlabel("seconds")
    axis.set_ylabel("instances within 1 % of the\nbest input-order plan with C = 2, in %")
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.tight_layout()
    save(figure, folder, "profile")


def scaling(results, folder):
    """Operations against the time to the first plan and to within 1 % of the best known in the peer's setting."""
    figure, axes = plt.subplots(1, 2, figsize=(9.4, 4.0), sharey=True)
    limit, cases = max(r["seconds"] for r in results), study.cases(results)
    sizes = sorted({r["nodes"] for r in results})
    shown = present(results)
    for axis, title in zip(axes, ("to the first plan", "to within 1 % of the best known in its setting")):
        for number, peer in enumerate(shown):
            points, missed = [], []
            for group in cases.values():
                mine = next((r for r in group if r["peer"] == peer), None)
                if mine is None:
                    continue
                if axis is axes[0]:
                    reached = mine["first"]
                else:
                    goal = study.target(group, mine["setting"])
                    reached = study.time_to(mine, goal) if goal is not None else None
                (missed if reached is None else points).append((mine["nodes"], limit * 1.5 if reached is None else max(reached, 0.001)))
            axis.plot(*zip(*sorted(points)) if points else ((), ()), marker="o", markersize=4, **line(peer))
            if missed:
                shift = 1 + 0.05 * (number - len(shown) / 2)
                axis.plot([n * shift for n, _ in missed], [t for _, t in missed], linestyle="", marker="x", markersize=6,
                          color=STYLE[peer][0])
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_xticks(sizes, [f"{n:,}" for n in sizes])
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.yaxis.set_major_formatter(FuncFormatter(plain))
        axis.axhline(limit, color="#999999", linewidth=0.8)
        axis.set_ylim(0.0008, limit * 2.2)
        axis.set_title(title)
        axis.set_xlabel("operations (generated layered graphs, 80 % of the peak)")
    axes[0].set_ylabel(f"seconds (crosses: not within {limit:g} s)")
    legend(figure, shown, 4)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    save(figure, folder, "scaling")


def sweep(results, folder):
    """TDI against the budget."""
    figure, axis = plt.subplots(figsize=(7.2, 4.4))
    for peer in present(results):
        points = sorted((r["percent"], r["tdi"]) for r in results if r["peer"] == peer and r["tdi"] is not None)
        if points:
            axis.plot([p for p, _ in points], [max(v, 1e-3) for _, v in points], marker="o", markersize=4,
                      label=instances.PEERS[peer].label, **line(peer))
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(FuncFormatter(plain))
    axis.invert_xaxis()
    axis.set_xticks(sorted({r["percent"] for r in results}))
    limit = max(r["seconds"] for r in results)
    axis.set_title(f"{results[0]['graph']}, {limit:g} s")
    axis.set_xlabel("budget, % of the input order's peak")
    axis.set_ylabel("extra duration, TDI in %")
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.tight_layout()
    save(figure, folder, "sweep")
