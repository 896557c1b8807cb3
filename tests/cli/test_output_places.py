"""Reports that are written to a place that is not a plain file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hbspec.cli import main

BASE = str(Path(__file__).parents[1] / "rules/base.yaml")


def check(place: Path) -> int:
    words = ("--format", "concise", "--set", "instance.max_wait=9h", "--output-file", str(place))
    return main(["check", BASE, *words])


def test_a_pipe_is_written_into_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        check(pipe)
        assert b"HB316" in os.read(reader, 65536)
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert [entry.name for entry in tmp_path.iterdir()] == ["pipe"]


def test_a_link_stays_and_its_file_is_written(tmp_path):
    target, link = tmp_path / "report.txt", tmp_path / "link"
    target.write_text("before")
    link.symlink_to(target)
    check(link)
    assert link.is_symlink()
    assert "HB316" in target.read_text()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="Linux has it")
def test_a_full_device_is_an_error_and_stays(tmp_path, capsys):
    link = tmp_path / "full"
    link.symlink_to("/dev/full")  # which renaming would replace, and not the device
    assert check(link) == 2
    assert "No space left" in capsys.readouterr().err
    assert link.is_symlink()
