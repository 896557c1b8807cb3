"""Files that a spec names: a model's `config.json`, a data profile, the author's script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from hbspec.diagnostics import Route
from hbspec.source.document import Document
from hbspec.source.limits import MAX_ATTACHMENT_BYTES
from hbspec.source.paths import PathError, contained, read_bytes


class AttachmentError(ValueError):
    """A file that cannot be read; the message is one sentence that begins with its name."""


def read_json(document: Document, route: Route, path: str) -> Any:
    """The content of the JSON file that the value at `route` names, inside the document's project.

    Raises `AttachmentError` if the file is outside the project, does not exist, is larger than `MAX_ATTACHMENT_BYTES`,
    or is not JSON (RFC 8259, which excludes NaN and Infinity).
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
            f"`{path}` is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise AttachmentError(
            f"`{path}` cannot be read: a number is too long or not finite, or the nesting is too deep"
        ) from error


def read_text(document: Document, route: Route, path: str) -> str:
    """The content of the text file that the value at `route` names, inside the document's project.

    Raises `AttachmentError` if the file is outside the project, does not exist, is larger than `MAX_ATTACHMENT_BYTES`,
    or is not UTF-8.
    """
    try:
        data = _read(contained(path, document.origin(route), document.root, document.allow_outside), path)
        return data.decode("utf-8-sig")
    except PathError as error:
        raise AttachmentError(str(error)) from error
    except UnicodeDecodeError as error:
        raise AttachmentError(f"`{path}` is not UTF-8 text") from error


def read_script(document: Document, source_dir: str, entry_point: str) -> bytes:
    """The content of the author's training script: a file in a folder of the document's project.

    Raises `AttachmentError` if the folder or the file is outside the project or does not exist, or if the file is
    larger than `MAX_ATTACHMENT_BYTES`.
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
