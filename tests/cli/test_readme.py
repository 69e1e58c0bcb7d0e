"""What README says is what there is: its program, that program's output, its figures."""

import pathlib
import re
import subprocess

from conftest import PROGRAM

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_c_example_is_the_file():
    source = (ROOT / "examples" / "plan.c").read_text(encoding="utf-8")
    assert f"```c\n{source}```" in README


def test_the_c_example_prints_what_readme_says():
    program = pathlib.Path(PROGRAM).parent / "example_plan"
    done = subprocess.run([program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"```\n{done.stdout}```" in README


def test_info_prints_what_readme_says(work):
    done = work.run("info", str(ROOT / "examples" / "graphs" / "gpt.json"))
    assert done.status == 0, done
    assert f"$ moccasin info examples/graphs/gpt.json\n{done.out}```" in README


def test_links_lead_somewhere():
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "src" / "README.md"]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), f"{document.name} links to {link}"
