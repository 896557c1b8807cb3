"""The site of the documentation: Sphinx reads the README and the pages of `docs/` as they are.

Sphinx with MyST is used since both are released several times a year; MkDocs has had no release since 2024, and its
most used theme is in maintenance. Sphinx refuses a link to a page or to a heading that does not exist.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

HOME = "README"
CONTENTS = """
```{toctree}
:hidden:
:glob:

docs/index
docs/tutorial
docs/*
docs/rules/*
```
"""
"""Of the sidebar. It is not in the README, where other readers of Markdown would show it."""
FORWARD = (
    '<!doctype html><meta charset="utf-8"><title>hbspec</title>'
    f'<meta http-equiv="refresh" content="0;url={HOME}.html">\n'
)

project = "hbspec"
html_title = "hbspec"
root_doc = HOME
extensions = ["myst_parser"]
include_patterns = ["docs/**.md", f"{HOME}.md"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 3
html_theme = "furo"
html_copy_source = False
html_show_copyright = False
suppress_warnings = ["misc.highlighting_failure"]  # excerpts of specs and of JSON leave parts out


def setup(app: Any) -> None:
    """Add the sidebar's contents to the first page, and an index that leads there."""
    app.connect("source-read", _with_contents)
    app.connect("build-finished", _write_index)


def _with_contents(_app: Any, name: str, source: list[str]) -> None:
    if name == HOME:
        source[0] += CONTENTS


def _write_index(app: Any, failure: Exception | None) -> None:
    if failure is None:
        (Path(app.outdir) / "index.html").write_text(FORWARD, encoding="utf-8")
