"""The data files of a folder: which names a job reads, and what else lies there.

The job reads its channels so, and `hbspec data check` the same folders before the job is paid for. The name of a file
says how its examples are laid out; whether it is compressed is told from its first bytes. Only the standard library is
imported.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

JSON_LINES, JSON_ARRAY, CSV, PARQUET = ".jsonl", ".json", ".csv", ".parquet"
COMPRESSED = ("", ".gz", ".zst")
SUFFIXES = (*(f"{kind}{end}" for kind in (JSON_LINES, JSON_ARRAY, CSV) for end in COMPRESSED), PARQUET)
"""In any case: some systems write `.JSONL`. Parquet compresses its own columns."""
SHOWN_SUFFIXES = f"{JSON_LINES}, {JSON_ARRAY}, {CSV} (also with .gz or .zst), {PARQUET}"
NOTES = (".profile.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")
"""Ends of the names of files that describe data: profiles, and what the datasets library leaves beside its files."""
HIDDEN = (".", "_")
"""What begins so is a note of some tool's (`.ipynb_checkpoints`, `_SUCCESS`, `_temporary`), and not data."""
NAMED = 5
"""Files that are not read are named up to so many, and counted."""
SHARD = re.compile(r"(.*)-([0-9]{5})-of-([0-9]{5})(\..*)", re.S)
"""The name of one of several files as the datasets library and the Hub write it: `train-00000-of-00003.parquet`."""


def data_files(folder: Path) -> list[Path]:
    """The data in a folder and below it: names that end in one of `SUFFIXES`, nothing hidden, in order.

    Links to files and to folders are followed.

    Raises:
        OSError: a folder cannot be looked into, or a link leads nowhere or to a folder that it lies in; what cannot be
            seen must not be missed without a word.
    """
    return sorted(path for path, is_read in _found(folder, ()) if is_read)


def unread_files(folder: Path) -> list[str]:
    """What else lies there, and would be missed without a word: names below the folder, in order.

    Not named are the notes of tools: what begins with `.` and is not named as data are, and empty files such as
    `_SUCCESS`. Of a hidden folder only its name is known.

    Raises:
        OSError: as `data_files`.
    """
    passed_over = sorted(path for path, is_read in _found(folder, ()) if not is_read)
    return [path.relative_to(folder).as_posix() + ("/" if path.is_dir() else "") for path in passed_over]


def unread(folder: Path) -> str | None:
    """The same in words that follow the folder's name; None if everything is read.

    Raises:
        OSError: as `data_files`.
    """
    names = unread_files(folder)
    if not names:
        return None
    return (
        f"holds {len(names):,} {'entry' if len(names) == 1 else 'entries'} that the job does not read, since a name "
        f"must end in {SHOWN_SUFFIXES} and not begin with . or _: {_some(names)}"
    )


def missing_shards(paths: Iterable[Path]) -> list[str]:
    """The files that a set of shards lacks, such as `train-00001-of-00003.parquet`, by the names of those it has."""
    found: dict[tuple[Path, str, int, str], set[int]] = {}
    for path in paths:
        parts = SHARD.fullmatch(path.name)
        if parts:
            key = path.parent, parts[1], int(parts[3]), parts[4]
            found.setdefault(key, set()).add(int(parts[2]))
    return [
        str(folder / f"{name}-{number:05}-of-{count:05}{suffix}")
        for (folder, name, count, suffix), there in sorted(found.items())
        for number in range(count)
        if number not in there
    ]


def incomplete(paths: Iterable[Path]) -> str | None:
    """The same in words; None if no shard is missing."""
    names = missing_shards(paths)
    if not names:
        return None
    return f"{'a shard is' if len(names) == 1 else f'{len(names):,} shards are'} missing: {_some(names)}"


def layout_of_file(name: str) -> str:
    """How the examples of a file with this name are laid out: `JSON_LINES`, `JSON_ARRAY`, `CSV` or `PARQUET`.

    A name that says nothing, such as that of standard input, stands for lines.
    """
    plain = re.sub(r"\.(gz|zst)$", "", name.lower())
    return next((kind for kind in (JSON_LINES, JSON_ARRAY, CSV, PARQUET) if plain.endswith(kind)), JSON_LINES)


def _some(names: list[str]) -> str:
    return ", ".join([*map(repr, names[:NAMED]), *(["…"] if len(names) > NAMED else [])])


def _found(folder: Path, above: tuple[os.stat_result, ...]) -> Iterator[tuple[Path, bool]]:
    """What lies in a folder and below it, and whether it is read."""
    here = folder.stat()
    if any(os.path.samestat(here, each) for each in above):
        raise OSError(errno.ELOOP, "Link leads to a folder that it lies in; remove the link", str(folder))
    for path in folder.iterdir():
        if path.name.startswith(HIDDEN):
            if not _is_note(path):
                yield path, False
        elif path.is_dir():
            yield from _found(path, (*above, here))
        else:
            yield path, is_data(path.name) or (path.is_symlink() and not path.exists())


def _is_note(path: Path) -> bool:
    """Whether a hidden name is that of a tool's note, which nobody takes for data."""
    if path.name.startswith("."):
        return not path.name.lower().endswith(SUFFIXES)
    return path.is_file() and path.stat().st_size == 0


def is_data(name: str) -> bool:
    """Whether a job reads a file that lies in its channel under this name."""
    lowered = name.lower()
    return lowered.endswith(SUFFIXES) and not lowered.endswith(NOTES) and not name.startswith(HIDDEN)
