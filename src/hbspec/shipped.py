"""Folders of a checkout that the package ships: `templates/`, which jobs share with hbspec, and some of `specs/`."""

from __future__ import annotations

import ast
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType


@cache
def templates() -> Path:
    """The folder of the shipped templates: in the installed package, or beside `src` in a checkout."""
    return _folder("templates")


def specs() -> Path:
    """The folder of example specs, as `templates`; in a package it holds those of `hbspec demo` only."""
    return _folder("specs")


def _folder(name: str) -> Path:
    package = Path(__file__).parent
    installed = package / name
    return installed if installed.is_dir() else package.parents[1] / name


def code(template: str, module: str, *beside: str) -> CodeType:
    """The compiled code of a template, to be executed in the namespace of a module of this package.

    Args:
        template: its name in the folder.
        module: the name of the module that executes it.
        beside: other templates that it imports, which are modules of the same names beside `module`.

    hbspec is not installed in a job, so shared behaviour is in the template, which imports only the standard library.
    Executed in a module of the package, its classes belong to that module: they can be pickled, and the template's name
    does not shadow a module of the user.
    """
    path = str(templates() / f"{template}.py")
    loader = SourceFileLoader(module, path)
    if beside:
        tree = ast.parse(loader.get_data(path))
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module in beside:
                node.level = 1
        return compile(tree, path, "exec")
    found = loader.get_code(module)
    assert found is not None  # noqa: S101 - a source file has code
    return found
