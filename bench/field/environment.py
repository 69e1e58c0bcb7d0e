"""Where things are: the program, the virtual environment of the peers, and what machine this is."""

import os
import pathlib
import platform
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("MOCCASIN", str(ROOT / "build/release/bin/moccasin"))
FASTSA = os.environ.get("FASTSA", str(ROOT / "build/release/bin/bench_fastsa"))
FOLDER = ROOT / "build" / "bench"
REQUIREMENTS = ROOT / "bench" / "requirements.txt"


class Unavailable(Exception):
    """Something that the study needs is not there and cannot be had."""


def ready(folder=FOLDER / "venv"):
    """The Python of the virtual environment if it is there and up to date, else None."""
    python, stamp = folder / "bin" / "python", folder / "requirements.txt"
    return python if stamp.exists() and python.exists() and stamp.read_text() == REQUIREMENTS.read_text() else None


def ensure(folder=FOLDER / "venv"):
    """The Python of a virtual environment with everything in requirements.txt; makes it when it is not there."""
    if python := ready(folder):
        return python
    print("bench: installing the peers' packages into build/bench/venv", file=sys.stderr, flush=True)
    python, wanted = folder / "bin" / "python", REQUIREMENTS.read_text()
    for command in ([sys.executable, "-m", "venv", "--clear", folder],
                    [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", REQUIREMENTS]):
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            raise Unavailable("the peers' packages cannot be installed here:\n" + "\n".join(done.stdout.splitlines()[-5:]))
    (folder / "requirements.txt").write_text(wanted)
    return python


def programs():
    for path, how in ((PROGRAM, "MOCCASIN"), (FASTSA, "FASTSA")):
        if not os.access(path, os.X_OK):
            raise Unavailable(f"there is no program {pathlib.Path(path).name} ({how}): build it with "
                              "`cmake --preset release -DBUILD_TESTING=ON && cmake --build --preset release`")


def machine():
    model = platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), model)
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        pages = 0
    return {"processor": model, "cores": len(os.sched_getaffinity(0)), "memory_gib": round(pages / 2**30, 1),
            "system": f"{platform.system()} {platform.machine()}"}


def versions(python):
    listed = subprocess.run([python, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"],
                            capture_output=True, text=True).stdout
    wanted = {line.split("==")[0].lower() for line in REQUIREMENTS.read_text().splitlines() if "==" in line}
    found = dict(line.split("==") for line in listed.split() if "==" in line)
    packages = {name: version for name, version in found.items() if name.lower() in wanted}
    own = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True).stdout.strip()
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return {"moccasin": own.removeprefix("moccasin "), "commit": commit.stdout.strip() or None,
            "python": platform.python_version(), **packages}


