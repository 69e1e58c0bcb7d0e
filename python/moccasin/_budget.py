"""Budgets as people write them, in exact arithmetic, by the rules of the command line's --budget."""

from __future__ import annotations

import math
import numbers
import operator
import re
from fractions import Fraction

UNITS: dict[str, int] = {
    "b": 1,
    **{f"{prefix}b": 1000 ** (power + 1) for power, prefix in enumerate("kmgtp")},
    **{f"{prefix}ib": 1024 ** (power + 1) for power, prefix in enumerate("kmgtp")},
}


def read_budget(budget: int | float | str, baseline_peak: int) -> int:
    """Turn a budget into bytes.

    Parameters
    ----------
    budget : int, float or str
        An int is bytes. A float in (0, 1] is a share of `baseline_peak`. A str is what the command line takes:
        ``"13484795520"``, ``"12.5GiB"``, ``"800MB"``, ``"80%"``.
    baseline_peak : int
        Bytes that are needed without recomputing anything.

    Returns
    -------
    int
        Bytes. A share rounds up, a fraction of a unit down.
    """
    if isinstance(budget, bool):
        raise TypeError("a budget is a number or a text, not a bool")
    if isinstance(budget, str):
        return _read_text(budget, baseline_peak)
    if isinstance(budget, numbers.Real) and not isinstance(budget, numbers.Integral):
        share = float(budget)
        if not 0 < share <= 1:
            raise ValueError(f"a budget that is a float is a share in (0, 1], not {share}; bytes are an int")
        # repr: 0.8 is to mean 80 %, not the binary fraction just above it.
        return math.ceil(Fraction(repr(share)) * baseline_peak)
    try:
        value = operator.index(budget)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"a budget is an int, a float or a str, not {type(budget).__name__}") from None
    if value < 0:
        raise ValueError("a budget cannot be negative")
    return value


def _read_text(text: str, baseline_peak: int) -> int:
    match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+) *([A-Za-z]*|%)\s*", text, re.ASCII)
    if match is None:
        raise ValueError(f'a budget is a number with a unit or a share, such as "12.5GiB" or "80%", not "{text}"')
    number, unit = Fraction(match[1]), match[2].lower()
    if unit == "%":
        if number == 0:
            raise ValueError("a share has to be above 0%")
        return math.ceil(number * baseline_peak / 100)
    if unit not in UNITS and unit != "":
        raise ValueError(f'"{match[2]}" is not a unit: expected B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB or %')
    if unit in ("", "b") and "." in match[1]:
        raise ValueError("there is no fraction of a byte")
    return math.floor(number * UNITS[unit or "b"])


def show_bytes(count: int) -> str:
    """Write bytes for people, such as ``2.64 GiB``."""
    value = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{count} bytes" if unit == "bytes" else f"{value:.2f} {unit}"
