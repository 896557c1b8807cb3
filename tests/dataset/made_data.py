"""Conversations as lines of data, and where the real ones lie."""

from __future__ import annotations

import json
from pathlib import Path

from hbspec.dataset.broken import Place
from hbspec.dataset.files import DataFile, data_files
from hbspec.dataset.records import Record, decoded

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "heartbeat"
"""The document's own examples, where they lie beside the project."""


def line(*turns: str, **more: object) -> str:
    """One line: each turn is `role:content`; `more` stands beside the messages."""
    parted = (turn.partition(":") for turn in turns)
    return json.dumps({"messages": [{"role": role, "content": content} for role, _, content in parted], **more})


def chat(question: str, answer: str) -> str:
    """A line with a question and its answer."""
    return line(f"user:{question}", f"assistant:{answer}")


def record(*turns: str) -> Record:
    """What a line holds."""
    found = decoded(line(*turns).encode(), Place("data.jsonl", 1))
    assert isinstance(found, Record)
    return found


def written(path: Path, *lines: str | bytes) -> tuple[DataFile, ...]:
    """A file of these lines, as a command line would name it."""
    path.write_bytes(b"".join((text if isinstance(text, bytes) else text.encode()) + b"\n" for text in lines))
    return data_files([str(path)])
