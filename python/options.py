"""Writes the options of a solve as a TypedDict, from the C library's table: options.py OPTIONS.DEF OUTPUT.

Type checkers and editors need the names in Python source; defaults, ranges and help come at run time from the table
that is compiled in.
"""

import re
import sys

TYPES = {"INT": "int", "UINT64": "int", "REAL": "float", "ORDER": 'Literal["input", "auto"]'}

table, output = sys.argv[1:]
with open(table, encoding="utf-8") as file:
    text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
rows = re.findall(
    r'^MOC_OPTION\(\s*(\w+),\s*(\w+),.*?"((?:[^"\\]|\\.)*)"\s*\)\s*$', text, flags=re.DOTALL | re.MULTILINE
)
assert rows and len(rows) == text.count("MOC_OPTION("), "options.def is not as expected"
lines = [
    '"""The options of a solve. Written by the build, from src/options.def."""',
    "",
    "from typing import Literal, TypedDict",
    "",
    "",
    "class SolveOptions(TypedDict, total=False):",
    '    """What `moccasin.solve` takes by name."""',
    "",
]
for kind, name, help in rows:
    lines += [f"    {name}: {TYPES[kind]}", f'    """{help}."""']
with open(output, "w", encoding="utf-8") as file:
    file.write("\n".join(lines) + "\n")
