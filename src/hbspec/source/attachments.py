"""Files that a spec names besides its own text: a model's `config.json`, a data profile, the author's script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from hbspec.diagnostics import Route
from hbspec.source.document import Document
from hbspec.source.limits import MAX_ATTACHMENT_BYTES
from hbspec.source.paths import PathError, contained, read_bytes


class AttachmentError(ValueError):
    """A named file that cannot be read; the message is one sentence that begins with its name."""


def read_json(document: Document, route: Route, path: str) -> Any:
    """The content of the JSON file that the value at `route` names, inside the document's project.

    Raises `AttachmentError` if it lies outside, is not there, is larger than `MAX_ATTACHMENT_BYTES`, or is no JSON
    (RFC 8259, so NaN and Infinity are none).
    """
    try:
        data = _read(contained(path, document.origin(route), document.root, document.allow_outside), path)
    except PathError as error:
        raise AttachmentError(str(error)) from error
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise AttachmentError(f"`{path}` is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise AttachmentError(
            f"`{path}` is no JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise AttachmentError(f"`{path}` holds a number or a nesting that is too large to read") from error


def read_script(document: Document, source_dir: str, entry_point: str) -> bytes:
    """The author's own training script: a file inside a folder inside the document's project.

    Raises `AttachmentError` if either lies outside or is not there, or the script is larger than
    `MAX_ATTACHMENT_BYTES`.
    """
    origin, outside = document.origin(("script", "source_dir")), document.allow_outside
    try:
        folder = contained(source_dir, origin, document.root, outside, folder=True)
        return _read(contained(entry_point, folder, folder), entry_point)
    except PathError as error:
        raise AttachmentError(str(error)) from error


def _read(real: Path, named: str) -> bytes:
    data = read_bytes(real, MAX_ATTACHMENT_BYTES)
    if len(data) > MAX_ATTACHMENT_BYTES:
        raise AttachmentError(f"`{named}` is larger than {MAX_ATTACHMENT_BYTES:,} bytes")
    return data


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
