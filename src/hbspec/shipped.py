"""Folders of a checkout that the package ships: `templates/`, which jobs share with hbspec, and some of `specs/`."""

from __future__ import annotations

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


def code(template: str, module: str) -> CodeType:
    """The compiled code of a template, to be executed in the namespace of a module of this package.

    hbspec is not installed in a job, so shared behaviour is in the template, which imports only the standard library.
    Executed in a module of the package, its classes belong to that module: they can be pickled, and the template's name
    does not shadow a module of the user.
    """
    loader = SourceFileLoader(module, str(templates() / f"{template}.py"))
    found = loader.get_code(module)
    assert found is not None  # noqa: S101 - a source file has code
    return found
