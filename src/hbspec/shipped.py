"""What hbspec and the jobs that it compiles have in common lies in `templates/`: where that is, and code out of it."""

from __future__ import annotations

from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType


@cache
def templates() -> Path:
    """The shipped templates: inside the installed package, or beside `src` in a checkout."""
    package = Path(__file__).parent
    installed = package / "templates"
    return installed if installed.is_dir() else package.parents[1] / "templates"


def code(template: str, module: str) -> CodeType:
    """What a template does, for `exec` in the namespace of the module that stands for it in this package.

    A job has no hbspec, so what both must do alike is the template's; it imports the standard library alone. Run in a
    module of the package its classes are that module's: they can be pickled, and no name of a user's is taken.
    """
    loader = SourceFileLoader(module, str(templates() / f"{template}.py"))
    found = loader.get_code(module)
    assert found is not None  # noqa: S101 - of a source file there is code
    return found
