"""The tutorial: every command in it is run, in an empty folder, and prints what the page says."""

from __future__ import annotations

import re

import torch  # noqa: F401 - `hbspec smoke` needs it
from documentation import DOCS, blocks, shell


def told(text: str) -> list[str]:
    """Lines to compare; a loss may differ in its digits from machine to machine."""
    return [
        re.sub(r"\d+\.\d+", "N", line) if line.startswith("Loss") else line.rstrip()
        for line in text.rstrip().splitlines()
    ]


def test_every_command_prints_what_the_page_says(tmp_path):
    sessions = blocks(DOCS / "tutorial.md", "console")
    assert len(sessions) >= 8
    for session in sessions:
        prompt, _, printed = session.partition("\n")
        assert prompt.startswith("$ ")
        said = shell(prompt.removeprefix("$ "), tmp_path).replace(str(tmp_path), "…")
        assert told(said) == told(printed), prompt
