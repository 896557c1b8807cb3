"""The generated parts of handwritten pages.

```text
<!-- file: NAME -->            the block that follows is written to NAME in the page's folder (by hand, not generated)
<!-- output: COMMAND -->       the output of COMMAND in that folder, which is empty at first and shared by the commands;
                               it has this project's `specs` if one of them names it
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
from configparser import ConfigParser
from dataclasses import MISSING
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

from docs_pages import families, file_of_family, table

from hbspec.claims.quantities import QUANTITIES, quantity
from hbspec.cli.command import COMMANDS, command
from hbspec.cli.spec_schema import SOME_PRICE
from hbspec.targets import names, target_of

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
    done = subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in JUDGED or not done.stdout:
        raise PageError(f"{page}: `{words}` ended with {done.returncode} and said {done.stderr or 'nothing'}")
    return "\n".join(line.rstrip() for line in done.stdout.replace(str(folder), "…").rstrip().splitlines())


def _laid_out(value: Any, before: str = "", indent: int = 0, after: str = "") -> Iterator[str]:
    """The lines of a JSON document, abbreviated for a page."""
    lead = "  " * indent
    flat = f"{lead}{before}{json.dumps(value, ensure_ascii=False)}{after}"
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


def _claims() -> str:
    price = quantity(SOME_PRICE)
    assert price is not None
    entries = {**QUANTITIES, "price.TYPE.REGION": price}
    return table(
        ("Key", "Kind", "How it is computed", "What would narrow it"),
        ((f"`{key}`", entry.kind, entry.formula, entry.decides) for key, entry in entries.items()),
    )


def _settings() -> str:
    words = {"str": "string", "float": "number", "int": "whole number", "bool": "`true` or `false`"}
    return table(
        ("Name", "Type", "Default", "Meaning", "Affects the trained model"),
        (
            (
                f"`{entry.name}`",
                " or ".join(words.get(kind, "names, as JSON") for kind in entry.type.split(" | ") if kind != "None"),
                _shown(entry.default),
                entry.metadata["about"].removesuffix(" (required)"),
                entry.metadata["learned"].text,
            )
            for entry in template("settings").Settings.__dataclass_fields__.values()
        ),
    )


def _folders() -> str:
    return table(
        ("Option", "Default"),
        (
            (f"`--{entry.name.replace('_', '-')}`", _shown(entry.default))
            for entry in template("settings").Folders.__dataclass_fields__.values()
        ),
    )


def _shown(default: Any) -> str:
    if default is MISSING:
        return "**required**"
    if default in (None, ()):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def template(name: str) -> Any:
    """A module of the training script that imports only the standard library."""
    path = ROOT / "templates" / f"{name}.py"
    spec = spec_from_file_location(f"hbspec_template_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[module.__name__] = module
    sys.path.append(str(path.parent))  # where it finds its siblings
    spec.loader.exec_module(module)
    return module


def _families() -> str:
    listed = [
        (f"[{first.code[:3]}xx](docs/rules/{file_of_family(first)}), {len(entries)} codes", title, entries[:3])
        for title, entries in families()
        for first in entries[:1]
    ]
    rows = ((code, title, ", ".join(entry.name for entry in first)) for code, title, first in listed)
    return table(("Codes", "Subject", "Examples"), rows)


def _commands() -> str:
    return table(("Command", "What it does"), ((f"`hbspec {name}`", command(name).summary) for name in COMMANDS))


def _targets() -> str:
    return table(("Target", "Output"), ((f"`{name}`", target_of(name).summary) for name in names()))


def _layers() -> str:
    contracts = ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    levels = contracts["importlinter:contract:layers"]["layers"].split("\n")
    names = [level.strip().split(" | ") for level in levels if level.strip()]
    ranked = [(len(names) - number, name) for number, level in enumerate(names) for name in level]
    return table(("Level", "Package", "Content"), ((str(rank), f"`{name}`", _summary(name)) for rank, name in ranked))


def _summary(name: str) -> str:
    return (import_module(f"hbspec.{name}").__doc__ or "").partition("\n")[0].rstrip(".:")


def _errors() -> str:
    """Every public exception of the package, with its base, its module, and the first paragraph of its docstring."""
    found = []
    for file in sorted((ROOT / "src/hbspec").rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name.endswith("Error") and not node.name.startswith("_"):
                about = (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
                where = str(file.relative_to(ROOT / "src/hbspec").with_suffix(""))
                found.append((node.name != "InvalidSpecError", where, node.name, ast.unparse(node.bases[0]), about))
    rows = ((f"`{name}`", f"`{base}`", f"`{where}`", about) for _, where, name, base, about in sorted(found))
    return table(("Exception", "Is a", "In", "Means"), rows)


def _left_out() -> str:
    from hbspec.targets.job.source_folder import LEFT_OUT

    return ", ".join(f"`{pattern}`" for pattern in LEFT_OUT)


TABLES: dict[str, Callable[[], str]] = {
    "claims": _claims,
    "commands": _commands,
    "errors": _errors,
    "families": _families,
    "folders": _folders,
    "layers": _layers,
    "left-out": _left_out,
    "settings": _settings,
    "targets": _targets,
}
PARTS: dict[str, Callable[[str], str]] = {
    "source": _source,
    "formulas": _formulas,
    "constants": _constants,
    "table": lambda words: TABLES[words](),
}
