"""The first line of a new spec, by which editors find the schema, and the schema beside it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

SCHEMA = "hbspec.schema.json"
MODELINE = f"# yaml-language-server: $schema=./{SCHEMA}\n"
"""https://github.com/redhat-developer/yaml-language-server#using-inlined-schema"""


def with_modeline(text: bytes) -> bytes:
    """The text of a spec after the line that names its schema."""
    return MODELINE.encode() + text


def write_schema(folder: Path) -> Path | None:
    """Write the schema into a folder, unless there is one; its path if it was written.

    Raises:
        OSError: the system refuses.
    """
    from hbspec.cli.spec_schema import spec_schema
    from hbspec.cli.whole import write_file
    from hbspec.render.plain_json import json_text

    with suppress(FileExistsError):
        write_file(folder / SCHEMA, json_text(spec_schema()).encode(), replace=False)
        return folder / SCHEMA
    return None
