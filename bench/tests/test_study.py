"""What the report says: ratios and their floors, targets, who is ahead."""

from field import study


def result(peer, duration, curve=(), status="feasible", setting="paper", **more):
    return {"graph": "g", "percent": 80, "peer": peer, "setting": setting, "base_duration": 1000, "duration": duration,
            "curve": list(curve), "to_best": curve[-1][0] if curve else None, "first": curve[0][0] if curve else None, "bound": None,
            "status": status, "solve_seconds": 9, **more}


def test_ratio_uses_our_time_to_reach_the_peers_best():
    ours = result("moccasin", 1010, [[0.5, 1100], [2.0, 1040], [5.0, 1010]])
    theirs = result("cpsat", 1050, [[3.0, 1100], [40.0, 1050]])
    text, value = study.ratio(theirs, ours)
    assert value == 20 and text == "20 (40 s / 2.00 s)"


def test_ratio_is_floored_and_says_so():
    ours = result("moccasin", 1010, [[0.0001, 1010]])
    theirs = result("cpsat", 1050, [[5.0, 1050]])
    text, value = study.ratio(theirs, ours)
    assert value == 500 and text == "at least 500 (5.00 s / < 0.01 s)"


def test_ratio_of_two_short_times_is_none():
    ours, theirs = result("moccasin", 1010, [[0.001, 1010]]), result("fastsa", 1010, [[0.008, 1010]])
    assert study.ratio(theirs, ours) == ("both < 0.01 s", None)
    slow = result("moccasin", 1010, [[0.1, 1010]])
    assert study.ratio(theirs, slow) == ("0.10 (< 0.01 s / 0.10 s)", study.FLOOR / 0.1)


def test_ratio_when_ours_never_reaches_it():
    ours, theirs = result("moccasin", 1010, [[1, 1010]]), result("cpsat", 1009, [[9, 1009]])
    assert study.ratio(theirs, ours) == ("**not reached by ours**", None)


def test_ratio_without_a_plan():
    ours, none = result("moccasin", 1010, [[0.5, 1010]]), result("cpsat", None, status="none")
    assert study.ratio(none, ours)[0] == "it found none; ours after 0.50 s"
    assert study.ratio(none, result("moccasin", None))[0] == "neither found a plan"


def test_who_is_ahead():
    ours = [result("moccasin", 1010), result("moccasin-default", 1005, setting="order"),
            result("moccasin-auto", 1004, setting="free")]
    assert study.ahead([*ours, result("cpsat", 1010), result("fastsa", 1004, setting="free")]) == []
    found = study.ahead([*ours, result("cpsat", 1010, status="optimal"), result("fastsa", 1003, setting="free"),
                         result("checkmate-highs", 1006, setting="order")])
    assert [(theirs["peer"], own["peer"], what) for theirs, own, what in found] == \
        [("cpsat", "moccasin", "proof"), ("fastsa", "moccasin-auto", "plan")]
    # Restricted lengths: its optimum is of another model.
    assert study.ahead([*ours, result("cpsat-log", 1010, status="optimal")]) == []


def test_without_a_row_of_its_setting_our_best_counts():
    ours = [result("moccasin", 1010), result("moccasin-default", None, setting="order", status="none")]
    found = study.ahead([*ours, result("fastsa", 1009, setting="free")])
    assert [(own["peer"], what) for _, own, what in found] == [("moccasin", "plan")]
    assert study.ahead([*ours, result("fastsa", 1010, setting="free")]) == []
    assert study.ahead([result("fastsa", 1009, setting="free")]) == []


def test_a_better_bound_counts_beyond_rounding():
    ours = result("moccasin-default", 1010, setting="order", bound=1005)
    theirs = lambda bound: result("checkmate-lp", None, setting="order", status="none", bound=bound)
    assert study.ahead([ours, theirs(1005.0009)]) == [] and study.ahead([ours, theirs(1004)]) == []
    assert [what for _, _, what in study.ahead([ours, theirs(1005.5)])] == ["bound"]
    assert study.ahead([{**ours, "status": "optimal"}, theirs(1010.9)]) == []


def test_targets_are_of_the_extra_duration():
    group = [result("moccasin", 1100), result("moccasin-auto", 1000, setting="free")]
    assert study.target(group) == 1101 and study.target(group, "free") == 1000
    assert study.to_one_percent(result("cpsat", 1100, [[1, 1200], [2, 1101], [9, 1100]])) == 2


def test_the_longest_run_counts():
    runs = [result("cpsat", 1, seconds=5, experiment="table"), result("cpsat", 2, seconds=60, experiment="table"),
            result("cpsat", 3, seconds=9, experiment="table")]
    assert [r["duration"] for r in study.latest(runs)] == [2]


def test_a_run_that_ended_by_itself_needed_no_more_time():
    assert study.ended_itself(result("chen-sqrt", 1010, seconds=45))
    assert study.ended_itself(result("cpsat", 1010, status="optimal", seconds=9))
    assert not study.ended_itself(result("fastsa", 1010, seconds=9))


def test_times_of_different_processors_are_apart():
    here, there = result("cpsat", 1010, processor="A"), result("moccasin", 1010, processor="B")
    assert study.elsewhere(here, there) and not study.elsewhere(here, result("moccasin", 1010, processor="A"))
