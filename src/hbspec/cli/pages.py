"""The manual: every code that hbspec can print, found by code or name.

Pages are read from files without running what stands around them, so that the manual opens without pydantic.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import cast

import hbspec
from hbspec import rules
from hbspec.cli import defects as cli_defects
from hbspec.dataset import defects as data_defects
from hbspec.diagnostics import Severity
from hbspec.render.manual import ManualPage
from hbspec.rules.manual import page
from hbspec.rules.rule import Rule, RuleModule
from hbspec.source import defects as source_defects
from hbspec.source.defects import Defect

CODE = re.compile("HB[0-9]{3}")


@cache
def _tables() -> tuple[Mapping[str, Defect], ...]:
    return source_defects.DEFECTS, _spec_defects(), cli_defects.DEFECTS, data_defects.DEFECTS


def _spec_defects() -> Mapping[str, Defect]:
    """The table in `hbspec.spec.defects`, read without its package, which loads pydantic."""
    path = Path(hbspec.__file__).parent / "spec" / "defects.py"
    spec = spec_from_file_location("hbspec_spec_defects", path)
    assert spec is not None  # noqa: S101 - a name that ends in .py has a loader
    assert spec.loader is not None  # noqa: S101 - likewise
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    table: Mapping[str, Defect] = module.DEFECTS
    return table


def pages() -> Iterator[ManualPage]:
    """Every page."""
    for table in _tables():
        yield from map(_of_defect, table.values())
    for stem in _rules():
        yield _of_rule(stem)


def page_of(word: str) -> ManualPage | None:
    """The page of a code in any case (`hb101`) or of a name (`idle-gpus`); None if there is none."""
    for table in _tables():
        for defect in table.values():
            if word.upper() == defect.code or word == defect.name:
                return _of_defect(defect)
    for stem in _rules():
        code, _, name = stem.partition("_")
        if word.lower() == code or word == name.replace("_", "-"):
            return _of_rule(stem)
    return None


def words() -> list[str]:
    """Everything that `page_of` knows."""
    found = [word for table in _tables() for defect in table.values() for word in (defect.code, defect.name)]
    for stem in _rules():
        code, _, name = stem.partition("_")
        found += [code.upper(), name.replace("_", "-")]
    return found


def _of_defect(defect: Defect) -> ManualPage:
    return ManualPage(
        defect.code,
        defect.name,
        defect.severity.value,
        defect.summary,
        defect.why,
        defect.example.strip("\n"),
        defect.instead.strip("\n"),
    )


@cache
def _rules() -> tuple[str, ...]:
    return tuple(sorted(info.name for info in iter_modules(rules.__path__) if info.name.startswith("hb")))


def _of_rule(stem: str) -> ManualPage:
    name = f"{rules.__name__}.{stem}"
    spec = find_spec(name)
    assert spec is not None  # noqa: S101 - iter_modules has just found it
    assert spec.origin is not None  # noqa: S101 - likewise
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    module = ModuleType(name, ast.get_docstring(tree))
    module.__dict__["RULE"] = Rule(name, _severity(tree))
    found = page(cast(RuleModule, module))
    return ManualPage(
        found.code,
        found.name,
        found.severity,
        found.summary,
        found.why,
        found.example,
        found.instead,
        found.references,
        _beside(tree),
    )


def _beside(tree: ast.Module) -> tuple[str, ...]:
    """The codes that a rule names: those of `Rule.beside` (a test holds both equal)."""
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return tuple(sorted(set(filter(CODE.fullmatch, texts))))


def _severity(tree: ast.Module) -> Severity:
    """The severity in `RULE = Rule(__name__, Severity.WARNING)`; a rule without one raises errors."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == Rule.__name__:
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                if isinstance(argument, ast.Attribute) and ast.unparse(argument.value) == Severity.__name__:
                    return Severity[argument.attr]
    return Severity.ERROR
