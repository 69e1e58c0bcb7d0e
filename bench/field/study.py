"""What the results mean: instances grouped, targets, times to reach them, who is ahead."""

from . import instances

# Where our own times are below this, ratios are told as at least what this gives.
FLOOR = 0.01


def cases(results):
    """(graph, percent) to its results, in the order of the results."""
    groups = {}
    for result in results:
        groups.setdefault((result["graph"], result["percent"]), []).append(result)
    return groups


def latest(results):
    """Of several runs of a peer on an instance only those with the most seconds."""
    chosen = {}
    for result in results:
        key = (result["experiment"], result["graph"], result["percent"], result["peer"])
        if key not in chosen or result["seconds"] >= chosen[key]["seconds"]:
            chosen[key] = result
    return list(chosen.values())


def ended_itself(result):
    """Whether more time would have changed nothing: the peer had done all it does, or had a proof, well within its limit."""
    return result["status"] in ("optimal", "infeasible") or result["solve_seconds"] < 0.9 * result["seconds"]


def elsewhere(one, other):
    """Whether two runs were made on processors of different names; times of theirs are not comparable."""
    return one.get("processor") != other.get("processor")


def time_to(result, duration):
    """When a result's curve was at most `duration`; None if never."""
    return next((t for t, d in result["curve"] if d <= duration), None)


def best_of(group, setting=None):
    known = [r["duration"] for r in group if r["duration"] is not None and (setting is None or r["setting"] == setting)]
    return min(known, default=None)


def target(group, setting="paper"):
    """The duration that is within 1 % of the least extra duration known in a setting."""
    best, base = best_of(group, setting), group[0]["base_duration"]
    return None if best is None else base + (best - base) * 1.01


def to_one_percent(result):
    """Time until the extra duration is within 1 % of what the run ends with."""
    if result["duration"] is None:
        return None
    base = result["base_duration"]
    return time_to(result, base + (result["duration"] - base) * 1.01)


def ratio(theirs, ours):
    """(text, number or None): the peer's time to its own best over ours to reach that value."""
    if theirs is None or theirs["duration"] is None:
        if ours["duration"] is None:
            return "neither found a plan", None
        return f"it found none; ours after {seconds(ours['first'])}", None
    mine = time_to(ours, theirs["duration"])
    if mine is None:
        return "**not reached by ours**", None
    if mine < FLOOR and theirs["to_best"] < FLOOR:
        return "both < 0.01 s", None
    value = max(theirs["to_best"], FLOOR) / max(mine, FLOOR)
    return f"{'at least ' if mine < FLOOR else ''}{number(value)} ({seconds(theirs['to_best'])} / {seconds(mine)})", value


def number(value):
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def seconds(value):
    if value is None:
        return ""
    return "< 0.01 s" if value < FLOOR else f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def comparable(peer):
    """Our runs that a peer is measured against: of its own setting."""
    return instances.OURS[instances.PEERS[peer].setting]


def our_best(group):
    """Our row with the best plan, where there is none of a peer's own setting."""
    own = [r for r in group if r["peer"].startswith("moccasin")]
    return min(own, key=lambda r: (r["duration"] is None, r["duration"] or 0), default=None)


def ahead(group):
    """[(peer's result, our result, what)]: where a peer ends with the better plan, or proved what we did not, or has the better bound.

    Bounds in floating point count from a millionth of the duration on. Those of restricted lengths are of another model.
    """
    found, by_peer = [], {r["peer"]: r for r in group}
    for result in group:
        if result["peer"].startswith("moccasin"):
            continue
        ours = by_peer.get(comparable(result["peer"])) or our_best(group)
        if ours is None:
            continue
        if result["duration"] is not None and (ours["duration"] is None or result["duration"] < ours["duration"]):
            found.append((result, ours, "plan"))
        elif result["peer"] == "cpsat-log":
            continue
        elif result["status"] in ("optimal", "infeasible") and ours["status"] != result["status"]:
            found.append((result, ours, "proof"))
        elif result["bound"] is not None and result["bound"] > (ours["bound"] or 0) + 1e-6 * result["base_duration"] and \
                ours["status"] not in ("optimal", "infeasible"):
            found.append((result, ours, "bound"))
    return found
