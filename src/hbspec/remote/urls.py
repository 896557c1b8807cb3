"""The data files that a URL names: one file, or all below a prefix that ends in `/`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import NamedTuple

from hbspec.dataset.files import ByteSource, DataFile
from hbspec.dataset.folders import HIDDEN, NAMED, SHOWN_SUFFIXES, SUFFIXES, is_data
from hbspec.remote.failure import RemoteError


class Listed(NamedTuple):
    """A file below a prefix.

    Attributes:
        url: of the file.
        below: its name below the prefix, with slashes.
        size: in bytes.
        source: reads it.
    """

    url: str
    below: str
    size: int
    source: ByteSource


def remote_files(url: str) -> list[DataFile]:
    """The files at a URL, `s3://…` or `hf://…`, in the order in which a folder's are read.

    Raises:
        RemoteError: nothing is there, it cannot be read by this user, or a package is not installed.
        ValueError: no data file is below the prefix.
    """
    scheme, _, path = url.partition("://")
    before, at, _ = path.partition("/")[0].rpartition("@")
    if at and ":" in before:
        shown = f"{scheme}://{path.partition('@')[2]}"
        raise RemoteError(shown, "credentials in a URL are not used", "sign in, and leave them out")
    if scheme == "s3":
        from hbspec.remote.s3 import listed
    else:
        from hbspec.remote.hub import listed
    if not url.endswith("/"):
        return [DataFile(url, each.size, each.below, source=each.source) for each in listed(url)]
    return _below(url, listed(url))


def _below(url: str, listed: Iterable[Listed]) -> list[DataFile]:
    """The data files below a prefix, with what else is there beside the first."""
    files: list[Listed] = []
    unread: set[str] = set()
    for each in listed:
        *folders, name = parts = each.below.split("/")
        hidden = next((number for number, part in enumerate(parts, 1) if part.startswith(HIDDEN)), None)
        if hidden is not None:
            if not _is_note(parts[hidden - 1], hidden > len(folders), each.size):
                unread.add("/".join(parts[:hidden]) + ("/" if hidden <= len(folders) else ""))
        elif is_data(name):
            files.append(each)
        elif name:  # consoles write an empty object in the place of a folder
            unread.add(each.below)
    if not files:
        raise ValueError(f"{url} holds no file that ends in {SHOWN_SUFFIXES}; name another prefix")
    files.sort(key=lambda each: PurePosixPath(each.below))
    first, *others = (DataFile(each.url, each.size, each.below, source=each.source) for each in files)
    return [replace(first, beside=(url, _said(sorted(unread)))) if unread else first, *others]


def _is_note(name: str, is_file: bool, size: int) -> bool:
    """Whether a hidden name is that of a tool's note, as `folders.py` has it."""
    if name.startswith("."):
        return not name.lower().endswith(SUFFIXES)
    return is_file and size == 0


def _said(names: list[str]) -> str:
    shown = ", ".join([*map(repr, names[:NAMED]), *(["…"] if len(names) > NAMED else [])])
    counted = "1 entry that is" if len(names) == 1 else f"{len(names):,} entries that are"
    return f"holds {counted} not read as data: {shown}"
