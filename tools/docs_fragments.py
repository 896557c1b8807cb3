"""The generated parts of handwritten pages.

```text
<!-- file: NAME -->            the block that follows is written to NAME in the page's folder (by hand, not generated)
<!-- output: COMMAND -->       the output of COMMAND in that folder, which the commands share; `specs` is there if named
<!-- slow: COMMAND -->         the same, but run only when pages are written: the tests run it once
<!-- json: COMMAND -->         the same, for a JSON document: small objects on one line, only the first of a list
<!-- source: PATH -->          a file of this project
<!-- formulas: MODULE … -->    the docstrings of modules and of the functions that explain a method
<!-- constants: MODULE -->     a module's named numbers, with their meanings and sources
<!-- table: NAME -->           one of `TABLES`
```
"""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

from docs_pages import table
from docs_tables import TABLES

ROOT = Path(__file__).resolve().parents[1]
KINDS = "file|output|slow|json|source|formulas|constants|table"
FRAGMENT = re.compile(rf"(<!-- ({KINDS}): (.+?) -->\n)(.*?)(<!-- end -->)", re.S)
BLOCK = re.compile(r"```\w*\n(.*?)```\n", re.S)
SPECS = re.compile(r"<!-- (?:output|slow|json): [^\n]*\bspecs/")
"""A command that reads the specs of this project, which its page's folder then has."""
COLUMNS = "96"
JUDGED = (0, 1)
"""Exit codes of a command that worked; any other is an error in the page."""


class PageError(Exception):
    """A page refers to something that does not exist; the message names the page and the reference."""


def fill(text: str, page: str, *, slow: bool) -> str:
    """The text of a page with all its fragments generated.

    Args:
        text: the current text of the page.
        page: the name of the page.
        slow: whether slow commands are run; otherwise their output is left unchanged.

    Raises:
        PageError: a fragment has an unknown kind, or a command failed.
    """
    if text.count("<!-- end -->") != len(FRAGMENT.findall(text)):
        raise PageError(f"{page}: an `<!-- end -->` has no beginning of a known kind")
    with tempfile.TemporaryDirectory(prefix="hbspec-docs-") as name:
        folder = Path(name).resolve()
        if SPECS.search(text):
            (folder / "specs").symlink_to(ROOT / "specs")

        def filled(match: re.Match[str]) -> str:
            opening, kind, words, body, closing = match.groups()
            if kind == "file":
                block = BLOCK.search(body)
                if block is None:
                    raise PageError(f"{page}: the block for the file {words} is missing")
                (folder / words).write_text(block[1], encoding="utf-8")
                return match[0]
            if kind == "slow" and not slow:
                return match[0]
            if kind in ("output", "slow", "json"):
                shown = _output(words, folder, page)
                shown = "\n".join(_laid_out(json.loads(shown))) if kind == "json" else shown
                return f"{opening}```console\n$ {words}\n{shown}\n```\n{closing}"
            return f"{opening}{PARTS[kind](words).strip()}\n{closing}"

        return FRAGMENT.sub(filled, text)


def _output(words: str, folder: Path, page: str) -> str:
    """The standard output of a command.

    Diagnostics that a command prints on standard error may depend on the day, and are left out.
    """
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    environment = {**os.environ, "PATH": path, "COLUMNS": COLUMNS, "LC_ALL": "C.UTF-8"}
    shell = ("/usr/bin/env", "bash", "-o", "pipefail", "-c", words)
    none = subprocess.DEVNULL  # of an input: `hbspec init` asks at a terminal
    done = subprocess.run(shell, cwd=folder, env=environment, stdin=none, capture_output=True, text=True, check=False)
    if done.returncode not in JUDGED or not done.stdout:
        raise PageError(f"{page}: `{words}` ended with {done.returncode} and said {done.stderr or 'nothing'}")
    return "\n".join(line.rstrip() for line in done.stdout.replace(str(folder), "…").rstrip().splitlines())


def _laid_out(value: Any, before: str = "", indent: int = 0, after: str = "") -> Iterator[str]:
    """The lines of a JSON document, abbreviated for a page."""
    lead, text = "  " * indent, json.dumps(value, ensure_ascii=False)
    flat = f"{lead}{before}{text}{after}"
    if len(flat) <= int(COLUMNS) or not isinstance(value, (dict, list)):
        yield flat
        return
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    yield f"{lead}{before}{opening}"
    named = [(f"{json.dumps(key)}: ", part) for key, part in value.items()] if isinstance(value, dict) else []
    parts = named or [("", part) for part in value[:1]]
    for number, (name, part) in enumerate(parts, 1):
        yield from _laid_out(part, name, indent + 1, "," if number < len(parts) else "")
    if not named and len(value) > 1:
        yield f"{lead}  …"
    yield f"{lead}{closing}{after}"


def _source(words: str) -> str:
    text = (ROOT / words).read_text(encoding="utf-8")
    return f"```{ {'.py': 'python', '.yaml': 'yaml', '.yml': 'yaml'}.get(Path(words).suffix, 'text') }\n{text}```"


def _formulas(words: str) -> str:
    return "\n\n".join(_module(import_module(name)) for name in words.split())


def _module(module: ModuleType) -> str:
    parts = [f"### `{module.__name__}`", _prose(module.__doc__)]
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.FunctionDef) and (told := _prose(ast.get_docstring(node))) and _says_how(told):
            summary, _, rest = told.partition("\n\n")
            lines = "\n\n".join([f"- `{node.name}`: {summary}", *(rest.split("\n\n") if rest else ())])
            parts.append(re.sub(r"\n(?=.)", "\n  ", lines))
    return "\n\n".join(parts)


def _prose(docstring: str | None) -> str:
    """A docstring without its examples and its lists of arguments, results and errors; equations keep their lines."""
    text = re.sub(r"\n(?=\w+ = )", "\\\\\n", inspect.cleandoc(docstring or ""))
    return re.split(r"\n\n(?:Args|Returns|Raises|Attributes):\n|\n\n>>> ", text)[0]


def _says_how(text: str) -> bool:
    """Whether a docstring explains a method, beyond its summary."""
    return "\n\n" in text or "=" in text or ": " in text


def _constants(words: str) -> str:
    module = import_module(words)
    return table(("Name", "Value", "Meaning"), _named_numbers(module, ast.parse(inspect.getsource(module)).body))


def _named_numbers(module: ModuleType, body: list[ast.stmt]) -> Iterator[tuple[str, ...]]:
    """The name, value and meaning of each assignment that a docstring follows."""
    for node, after in pairwise(body):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            name = node.targets[0].id
            value = getattr(module, name)
            shown = f"{value:,}" if isinstance(value, int) else ast.unparse(node.value).removeprefix("Interval")
            yield f"`{name}`", f"`{shown}`", " ".join(str(after.value.value).split())


PARTS: dict[str, Callable[[str], str]] = {
    "source": _source,
    "formulas": _formulas,
    "constants": _constants,
    "table": lambda words: TABLES[words](),
}
