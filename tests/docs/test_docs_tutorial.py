"""The tutorial: what it prints is what its commands print. `test_docs_fresh` runs all of them but the slow ones."""

from __future__ import annotations

import re

import pytest
import torch  # noqa: F401 - `hbspec smoke` needs it
from documentation import DOCS, blocks, shell

PAGE = DOCS / "tutorial.md"
SESSIONS = {
    prompt.removeprefix("$ "): printed
    for prompt, _, printed in (session.partition("\n") for session in blocks(PAGE, "console"))
}
GENERATED = re.findall(r"^<!-- (output|slow): (.+?) -->$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
SLOW = [command for kind, command in GENERATED if kind == "slow"]


def told(text: str) -> list[str]:
    """Lines to compare; a loss may differ in its digits from machine to machine."""
    return [
        re.sub(r"\d+\.\d+", "N", line) if line.startswith("Loss") else line.rstrip()
        for line in text.rstrip().splitlines()
    ]


def test_every_command_is_run_here_or_where_pages_are_compared():
    assert len(SESSIONS) >= 8
    assert list(SESSIONS) == [command for _, command in GENERATED]


@pytest.mark.long
def test_slow_commands_print_what_the_page_says(tmp_path):
    assert SLOW
    shell("hbspec init", tmp_path)
    for command in SLOW:
        said = shell(command, tmp_path).replace(str(tmp_path), "…")
        assert told(said) == told(SESSIONS[command]), command
