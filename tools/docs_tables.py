"""The generated tables of handwritten pages: `<!-- table: NAME -->`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from configparser import ConfigParser
from dataclasses import MISSING
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from docs_pages import families, file_of_family, table

from hbspec.claims.quantities import QUANTITIES, quantity
from hbspec.cli.command import COMMANDS, command
from hbspec.cli.spec_schema import SOME_PRICE
from hbspec.targets import names, target_of

ROOT = Path(__file__).resolve().parents[1]


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
