"""Several budgets, and pages."""

import csv
import html.parser
import io
import signal
import subprocess
import time
import xml.etree.ElementTree

import pytest

from conftest import QUICK

# The example peaks at 11; within 10 the least duration is 9, of 8; nothing is possible below 8.
BUDGETS = ["--budgets", "7..12:1"]


def test_the_table(example):
    r = example.run("sweep", "graph.json", *BUDGETS, *QUICK)
    assert r.status == 0, r
    rows = [line.split() for line in r.out.splitlines() if line.strip().startswith(("63", "9", "1", "7", "8"))]
    assert [row[-1] for row in rows] == ["optimal"] * 5 + ["infeasible"], r
    assert "[6/6] 7 bytes, 63.64 %: infeasible" in r.err and r.err.startswith("[1/6] 12 bytes, 109.1 %: TDI 0.0000 %")


def points_of(r):
    assert r.status == 0, r
    document = r.json()
    assert document["format"] == "moccasin-sweep" and document["version"] == 1
    return document["points"]


def test_json(example):
    points = points_of(example.run("sweep", "graph.json", *BUDGETS, *QUICK, "--json", "-o", "s.json"))
    assert example.load("s.json")["points"] == points
    assert [p["budget"] for p in points] == [12, 11, 10, 9, 8, 7]
    assert [p["total_duration"] for p in points[:3]] == [8, 8, 9] and points[5]["status"] == "infeasible"
    assert points[5]["total_duration"] is None and points[5]["lower_bound"] is None
    for p in points:  # as a solve of that budget alone finds
        alone = example.run("solve", "graph.json", "-b", p["budget"], *QUICK, "--json").json()
        assert (alone["total_duration"], alone["peak_memory"]) == (p["total_duration"], p["peak_memory"]) or \
            alone["status"] == "infeasible" == p["status"]


def test_plans_and_bounds_are_monotone(layered):
    points = points_of(layered.run("sweep", "graph.json", "--budgets", "60%..100%:4%", "--time-limit", "0.4", "--json"))
    assert len(points) == 11
    found = [p for p in points if p["total_duration"] is not None]
    assert len(found) >= 5
    for larger, smaller in zip(found, found[1:]):
        assert larger["total_duration"] <= smaller["total_duration"]
        assert larger["lower_bound"] <= smaller["lower_bound"] or larger["max_computes"] < smaller["max_computes"]
    for p in found:
        assert p["peak_memory"] <= p["budget"] and p["lower_bound"] <= p["total_duration"]
        assert (p["status"] == "optimal") == (p["lower_bound"] == p["total_duration"])


def test_the_same_twice(layered):
    for _ in range(2):
        assert layered.run("sweep", "graph.json", "--budgets", "80%,90%", "--threads", "1", "--moves", "3000", "-q", "-o",
                           "a.json").status == 0
        text = (layered.path / "a.json").read_bytes()
        (layered.path / "a.json").rename(layered.path / "b.json")
    assert text == (layered.path / "b.json").read_bytes() and b'"solve_seconds": 0.0' in text


def test_csv(example):
    assert example.run("sweep", "graph.json", *BUDGETS, *QUICK, "-q", "-o", "s.csv").status == 0
    rows = list(csv.DictReader(io.StringIO((example.path / "s.csv").read_text())))
    assert [row["budget"] for row in rows] == ["12", "11", "10", "9", "8", "7"]
    assert rows[2]["status"] == "optimal" and rows[2]["tdi_percent"] == "12.5" and rows[2]["recomputed"] == "1"
    assert rows[5]["status"] == "infeasible" and rows[5]["total_duration"] == rows[5]["lower_bound"] == ""


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def test_pictures(example):
    for name in ("s.svg", "s.html"):
        assert example.run("sweep", "graph.json", *BUDGETS, *QUICK, "-q", "-o", name).status == 0
    picture = xml.etree.ElementTree.parse(example.path / "s.svg").getroot()
    assert "6 budgets" in " ".join(picture.itertext())
    assert sum(element.tag.endswith("circle") for element in picture.iter()) >= 5
    page = Page((example.path / "s.html").read_text())
    assert "svg" in page.tags and page.tags.count("tr") == 7 and "infeasible" in page.text


def test_page_of_a_plan(example):
    document = example.load("graph.json")
    document["graph"]["name"] = "<script>&\"x\""
    example.write("graph.json", document)
    assert example.run("solve", "graph.json", "-b", "10", "--report", "p.html", *QUICK).status == 0
    text = (example.path / "p.html").read_text()
    page = Page(text)
    assert "<script" not in text and "What is computed again" in page.text and "svg" in page.tags
    assert page.tags.count("table") == 2 and '<script>&"x"' in page.text


def test_one_budget_far_above_the_peak(example):
    r = example.run("sweep", "graph.json", "--budgets", "8000PiB", "-q", "-o", "s.html")
    assert r.status == 0 and "optimal" in r.out, r


@pytest.mark.parametrize("budgets, reason", [
    ("", '"": a budget is missing'),
    ("80%,", '"": a budget is missing'),
    ("80%,bad,70%", '"bad": it does not begin with a number'),
    ("50%..100%", "a range needs a step, as in 50%..100%:5%"),
    ("50%..100%:0%", "a share has to be above 0%"),
    ("50..100:0", "the step has to be above 0"),
    ("50%..100:5%", "either shares or bytes, not both"),
    ("50%..100%:5", "either shares or bytes, not both"),
    ("50%..100%:", '"50%..100%:": a budget is missing'),
    ("0.001%..100%:0.001%", "more than 1000 budgets"),
    ("1..900000000000000000PiB:1PiB", "too many digits"),
    ("80%%", "is not a unit"),
    ("9" * 300, "longer than 200 characters"),
])
def test_wrong_lists(example, budgets, reason):
    r = example.run("sweep", "graph.json", "--budgets", budgets)
    assert r.status == 2 and reason in r.err and r.out == "", r


@pytest.mark.parametrize("arguments, reason", [
    (["graph.json"], "expected --budgets LIST"),
    (["--budgets", "80%"], "expected a GRAPH"),
    (["graph.json", "--budgets", "80%", "-o", "s.png"], "ends in .csv, .json, .svg or .html"),
    (["graph.json", "--budgets", "80%", "-o", "-"], "ends in .csv, .json, .svg or .html"),
    (["graph.json", "--budgets", "80%", "-o", "graph.json"], "overwrite the graph"),
])
def test_wrong_arguments(example, arguments, reason):
    before = (example.path / "graph.json").read_bytes()
    r = example.run("sweep", *arguments)
    assert r.status == 2 and reason in r.err and r.out == "", r
    assert example.files() == ["graph.json"] and (example.path / "graph.json").read_bytes() == before


def test_nothing_possible(example):
    r = example.run("sweep", "graph.json", "--budgets", "3,5", "-o", "s.svg")
    assert r.status == 3 and r.out.count("infeasible") == 2
    xml.etree.ElementTree.parse(example.path / "s.svg")


def test_spaces(example):
    points = points_of(example.run("sweep", "graph.json", "--budgets", " 12 , 8 .. 10 : 1 ", *QUICK, "--json"))
    assert [p["budget"] for p in points] == [12, 10, 9, 8]


def test_proofs_say_for_what_they_hold(example):
    """One computation of each operation: nothing below the input order's peak in that order; below 8 nothing at all."""
    r = example.run("sweep", "graph.json", "--budgets", "7,10,11", "--max-computes", "1", *QUICK, "-o", "s.svg")
    assert r.status == 0 and r.out.count("infeasible") == 2
    assert "Proofs are for the input order and at most 1 computation of an operation." in r.out
    text = " ".join(xml.etree.ElementTree.parse(example.path / "s.svg").getroot().itertext())
    assert "none in the input order" in text and "Proofs are for the input order" in text
    points = points_of(example.run("sweep", "graph.json", "--budgets", "7,10,11", "--max-computes", "1", *QUICK, "--json"))
    assert [p["bound_scope"] for p in points[1:]] == ["order", "any"]


def test_signal_between_budgets(layered):
    process = layered.start("sweep", "graph.json", "--budgets", "100%,80%,75%", "--time-limit", "60", "-o", "s.csv",
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert b"[1/3]" in process.stderr.readline()
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 0 and b"1 of 3 budgets were done before" in err, err
    assert (layered.path / "s.csv").read_text().count("\n") == 3 and layered.files() == ["graph.json", "s.csv"]
