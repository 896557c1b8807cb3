"""Files and folders to specs."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hbspec.source import SourceError, discover

Project = Callable[[dict[str, str | bytes]], Path]
FILES: dict[str, str | bytes] = {
    "b.yaml": "hbspec: 1\n",
    "a.yml": "# comment\n\n'hbspec': 1\n",
    "c/d/e.yaml": b"\xef\xbb\xbfhbspec: 1",
    "c/flow.yaml": "{hbspec: 1, name: x}",
    "c/windows.yaml": b"name: x\r\nhbspec: 1\r\n",
    "c/broken.yaml": "hbspec: 1\n\tname: [",
    "c/other.yaml": "name: hbspec\n  hbspec: nested\n",
    "c/notes.md": "hbspec: 1",
    ".hidden/x.yaml": "hbspec: 1",
    "c/.x.yaml": "hbspec: 1",
}
FOUND = ["a.yml", "b.yaml", "c/broken.yaml", "c/flow.yaml", "c/windows.yaml", "c/d/e.yaml"]


def test_a_folder_is_every_spec_below_it(project: Project) -> None:
    project(FILES)
    assert discover(["."]) == FOUND
    assert discover(["c"]) == FOUND[2:]


def test_named_files_stand_for_themselves_and_nothing_comes_twice(project: Project) -> None:
    project(FILES)
    assert discover(["c/other.yaml", "-", "b.yaml", "./b.yaml", ".", "-"]) == [
        "c/other.yaml",
        "-",
        "b.yaml",
        "a.yml",
        *FOUND[2:],
    ]


def test_links_out_of_the_folder_and_pipes_are_passed_over(project: Project) -> None:
    root = project(FILES)
    (root.parent / "out.yaml").write_text("hbspec: 1")
    (root / "c" / "out.yaml").symlink_to(root.parent / "out.yaml")
    (root / "c" / "zzz.yaml").symlink_to("../b.yaml")
    (root / "c" / "up").symlink_to("..")
    os.mkfifo(root / "c" / "fifo.yaml")
    assert discover(["."]) == FOUND


def test_what_is_missing_or_holds_nothing_is_told_at_once(project: Project) -> None:
    root = project(FILES)
    (root / "empty").mkdir()
    with pytest.raises(SourceError) as caught:
        discover(["b.yaml", "missing.yaml", "empty", "nul\0"])
    assert caught.value.unreadable
    assert [(fault.file, fault.code) for fault in caught.value.diagnostics] == [
        (name, "HB015") for name in ("empty", "missing.yaml", "nul\0")
    ]
