"""A folder of data files as `hbspec data check` reads it, and as the job does."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from hbspec.dataset import Record, check_data, data_files, read_records
from hbspec.dataset.readers import Reader
from hbspec.dataset.records import MESSAGES, Layout
from hbspec.diagnostics import Severity

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
sys.path.insert(0, str(TEMPLATES))

import conversations  # noqa: E402
from conversations import read_conversations  # noqa: E402 - a job has its folder on the path
from readers import Reader as JobReader  # noqa: E402
from records import Layout as JobLayout  # noqa: E402
from settings import RefusedError  # noqa: E402


def put(folder: Path, files: dict[str, bytes], linked: dict[str, bytes] | None = None) -> Path:
    """A channel; some of its files lie elsewhere, below a folder to which it has a link."""
    channel = folder / "train"
    channel.mkdir()
    if linked is not None:
        (folder / "real").mkdir()
        put(folder / "real", linked)
        (channel / "linked").symlink_to(folder / "real/train")
    for name, content in files.items():
        (channel / name).parent.mkdir(exist_ok=True)
        (channel / name).write_bytes(content)
    return channel


def checked(channel: Path, layout: Layout = MESSAGES) -> tuple[set[str], list[list[tuple[str, str]]]]:
    """Where `data check` finds errors, by file and line, and the conversations where it finds none."""
    try:
        files = data_files([str(channel)])
    except ValueError:
        return {"the folder"}, []
    (split,) = check_data(files, reader=Reader(layout)).splits
    places = {
        f"{Path(place.file).relative_to(channel.parent)}:{place.line}"
        for tally in split.tallies
        if tally.severity is Severity.ERROR
        for place in tally.places
    }
    if not split.examples and not split.broken:
        places = {"the folder"}
    found = [entry for entry in read_records(files, None, Reader(layout)) if isinstance(entry, Record)]
    pairs = [list(zip(entry.roles, entry.contents, strict=True)) for entry in found]
    return places, [] if places else [[pair for pair in each if pair != ("", "")] for each in pairs]


def trained(channel: Path, layout: Layout = MESSAGES) -> tuple[set[str], list[list[tuple[str, str]]]]:
    """The same of the job, which says the first 20 mistakes only."""
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(conversations, "SHOWN_PROBLEMS", 10**6)
            found = read_conversations(channel, None, JobReader(JobLayout(*layout)))
    except RefusedError as refused:
        matches = [re.match(r"(train/[^:]+)(?::(?:entry |row )?(\d+))?: ", problem) for problem in refused.problems]
        return {f"{match[1]}:{match[2] or 0}" if match else "the folder" for match in matches}, []
    return set(), [said(each) for each in found]


def said(example: Any) -> list[tuple[str, str]]:
    """The roles and texts of an example of the job."""
    if isinstance(example, conversations.Conversation):
        return [(message["role"], message["content"]) for message in example.messages]
    return [("", text) for text in example.texts if text]
