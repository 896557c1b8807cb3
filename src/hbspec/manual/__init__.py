"""The manual: every code that hbspec can print, found by code or name.

A module beside this one is a family of codes, a table `PAGES` of them; the pages of rules are the rules' docstrings. No
rule is run to read its page, so the manual opens without what judges a spec.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from hbspec.manual.page import Page
from hbspec.manual.rules import FOLDER, read, stems

__all__ = ["Page", "file_of", "page_of", "pages", "words"]


@cache
def _tables() -> Mapping[Path, Mapping[str, Page]]:
    """The `PAGES` of every module here that has them, by file."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return {Path(module.__file__ or ""): module.PAGES for module in modules if hasattr(module, "PAGES")}


def pages() -> Iterator[Page]:
    """Every page."""
    for table in _tables().values():
        yield from table.values()
    for stem in stems():
        yield read(stem)


def page_of(word: str) -> Page | None:
    """The page of a code in any case (`hb101`) or of a name (`idle-gpus`); None if there is none."""
    for table in _tables().values():
        for page in table.values():
            if word.upper() == page.code or word == page.name:
                return page
    for stem in stems():
        code, _, name = stem.partition("_")
        if word.lower() == code or word == name.replace("_", "-"):
            return read(stem)
    return None


def file_of(code: str) -> Path:
    """The file that the page of a code is written in.

    Raises:
        StopIteration: no page has this code.
    """
    of_table = (file for file, table in _tables().items() if code in table)
    return next(of_table, None) or next(FOLDER.glob(f"{code.lower()}_*.py"))


def words() -> list[str]:
    """Everything that `page_of` knows."""
    found = [word for table in _tables().values() for page in table.values() for word in (page.code, page.name)]
    for stem in stems():
        code, _, name = stem.partition("_")
        found += [code.upper(), name.replace("_", "-")]
    return found
