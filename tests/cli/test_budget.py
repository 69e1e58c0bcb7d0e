"""How budgets are spelt. The example's input order peaks at 11 bytes."""

import json
import math
from fractions import Fraction

import pytest

from conftest import node_link

GRAPH = node_link([("big", 1, 46319)], [])
HUGE = node_link([("big", 1, 2**62)], [])


def budget_of(work, text, graph=GRAPH):
    work.write("graph.json", graph)
    r = work.run("solve", "graph.json", "--budget", text, "--json", "--time-limit", "1")
    assert r.status in (0, 3), r
    return r.json()["budget"]


@pytest.mark.parametrize("text, expected", [
    ("46319", 46319), ("0", 0), ("00100", 100), ("46319B", 46319),
    ("50kB", 50000), ("50KB", 50000), ("50KiB", 51200), ("50 kib", 51200), ("1.5MiB", 1572864), ("2MB", 2000000),
    ("12.5GiB", 13421772800), ("800MB", 800000000), (".5GB", 500000000), ("1.TB", 10**12), ("3TiB", 3 * 2**40),
    ("1PB", 10**15), ("1PiB", 2**50),
    ("0.3333333KiB", 341),  # 341.33: down
    ("80%", 37056),         # 37055.2: up
    ("80 %", 37056), ("100%", 46319), ("72.5%", 33582), ("0.0001%", 1), ("150%", 69479),
])
def test_spelling(work, text, expected):
    assert budget_of(work, text) == expected


@pytest.mark.parametrize("share", ["90", "80", "70", "33.3", "12.345678", "99.999999"])
def test_share_is_exact(work, share):
    exact = math.ceil(Fraction(share) / 100 * 2**62)
    assert budget_of(work, share + "%", HUGE) == exact


@pytest.mark.parametrize("text, message", [
    ("", "does not begin with a number"), ("lots", "does not begin with a number"), ("%", "does not begin with a number"),
    ("-5", "cannot be negative"), ("-5%", "cannot be negative"), ("0%", "has to be above 0%"), ("12.5", "no fraction of a byte"),
    ("12.5B", "no fraction of a byte"), ("12G", "GiB (powers of 1024) or GB (powers of 1000)"), ("12XB", '"XB" is not a unit'),
    ("1e9", '"e9" is not a unit'), ("1.2.3GB", "is not a unit"), ("80%%", "is not a unit"), ("0x10", "is not a unit"),
    ("nan", "does not begin with a number"), ("inf", "does not begin with a number"),
    ("1234567890123456789", "too many digits"), (" 5", "does not begin with a number"), ("5 ", None), ("80% ", "is not a unit"),
])
def test_nonsense(work, text, message):
    work.write("graph.json", GRAPH)
    r = work.run("solve", "graph.json", f"--budget={text}", "--json", "--time-limit", "1")
    if message is None:
        assert r.status in (0, 3)
        return
    assert r.status == 2 and r.out == ""
    assert message in r.err and "--budget" in r.err and "12.5GiB" in r.err


@pytest.mark.parametrize("text", ["99999999999PiB", "900000%"])
def test_too_much(work, text):
    work.write("graph.json", HUGE)
    r = work.run("solve", "graph.json", "--budget", text)
    assert r.status == 2 and "more bytes than can be counted" in r.err
