"""The manual: every code that hbspec can print, looked up by code or name.

Each module beside this one holds a family of codes in a table `PAGES`; the pages of rules are the rules' docstrings.
Rules are parsed, not imported, so that the manual opens without loading the code that judges a spec.
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
    """Every page: first those of the tables, then those of the rules by code."""
    for table in _tables().values():
        yield from table.values()
    for stem in stems():
        yield read(stem)


def page_of(word: str) -> Page | None:
    """The page of a code in any case (`hb101`) or of a name (`idle-gpus`); None if the word is neither."""
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
    """Every code and every name that `page_of` knows."""
    found = [word for table in _tables().values() for page in table.values() for word in (page.code, page.name)]
    for stem in stems():
        code, _, name = stem.partition("_")
        found += [code.upper(), name.replace("_", "-")]
    return found
