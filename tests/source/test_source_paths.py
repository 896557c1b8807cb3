"""Paths that a spec names, and the JSON files behind them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hbspec.source import attachments, load, load_mapping
from hbspec.source.attachments import AttachmentError, read_json
from hbspec.source.paths import OutsideProjectError, PathError, UnreadablePathError, contained, project_root

Project = Callable[[dict[str, str | bytes]], Path]


@pytest.fixture
def root(project: Project) -> Path:
    folder = project({"specs/config.json": "{}", "src/train.py": ""})
    (folder.parent / "outside.json").write_text("{}")
    (folder / "specs" / "link.json").symlink_to("config.json")
    (folder / "specs" / "escape.json").symlink_to(folder.parent / "outside.json")
    (folder / "up").symlink_to("..")
    (folder / "specs" / "loop").symlink_to("loop")
    os.mkfifo(folder / "specs" / "fifo")
    return folder


@pytest.mark.parametrize(
    "path", ["config.json", "./config.json", "../specs/config.json", "link.json", "{root}/specs/config.json"]
)
def test_a_file_inside_is_found(path: str, root: Path) -> None:
    assert contained(path.format(root=root), root / "specs", root) == root / "specs" / "config.json"


@pytest.mark.parametrize(
    "path",
    ["../../outside.json", "escape.json", "../up/outside.json", "/etc/passwd", "../../missing", "../../project2"],
)
def test_a_path_outside_is_refused_unless_allowed(path: str, root: Path) -> None:
    with pytest.raises(OutsideProjectError, match="leads out of the project"):
        contained(path, root / "specs", root)
    if "missing" not in path and "project2" not in path:
        assert contained(path, root / "specs", root, allow_outside=True).is_file()


@pytest.mark.parametrize(
    ("path", "words"),
    [("missing", "does not exist"), ("", "is not a path"), ("a\0b", "is not a path"), ("fifo", "a pipe"),
    ("loop", "cannot be read"), ("../src", "a folder"),
     ("config.json/x", "does not exist"), ("x" * 300, "cannot be read"), ("\ud800", "is not a path")],
)  # fmt: skip
def test_what_is_no_file_is_refused(path: str, words: str, root: Path) -> None:
    with pytest.raises(UnreadablePathError, match=words):
        contained(path, root / "specs", root)


def test_a_folder_is_asked_for_as_one(root: Path) -> None:
    assert contained("../src", root / "specs", root, folder=True) == root / "src"
    with pytest.raises(UnreadablePathError, match="is a file, not a folder"):
        contained("config.json", root / "specs", root, folder=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(
    st.lists(
        st.sampled_from(["..", ".", "specs", "up", "config.json", "escape.json", "outside.json", "project", "/"]),
        max_size=8,
    )
)
def test_no_combination_of_steps_leads_out(root: Path, steps: list[str]) -> None:
    try:
        found = contained("/".join(steps), root / "specs", root)
    except PathError:
        return
    assert found.is_relative_to(root)
    assert found == found.resolve()


def test_the_project_is_the_nearest_marked_folder(tmp_path: Path) -> None:
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    assert project_root(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    (tmp_path / "a" / ".git").touch()  # a worktree has a file there
    assert project_root(tmp_path / "a" / "b" / "c") == tmp_path / "a"
    (tmp_path / "a" / "b" / "pyproject.toml").touch()
    assert project_root(tmp_path / "a" / "b" / "c") == tmp_path / "a" / "b"


def test_json_is_read_from_beside_the_file_that_names_it(project: Project) -> None:
    project(
        {
            "base/base.yaml": "model: {config: c.json}\n",
            "base/c.json": b'\xef\xbb\xbf{"a": [1, 2.5]}',
            "spec.yaml": "extends: base/base.yaml\n",
        }
    )
    assert read_json(load("spec.yaml"), ("model", "config"), "c.json") == {"a": [1, 2.5]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is not JSON: .* line 1, column 2"),
        (b"\xff", "not UTF-8"),
        (b"[NaN]", "a number is too long or not finite"),
        (b"[" * 200_000, "the nesting is too deep"),
        (b"9" * 5000, "a number is too long"),
    ],
)
def test_what_is_no_json_is_refused(content: bytes, words: str, project: Project) -> None:
    project({"c.json": content})
    with pytest.raises(AttachmentError, match=words):
        read_json(load_mapping({}), (), "c.json")


def test_json_keeps_the_limits_of_the_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project({"big.json": "1" * 100})
    (root.parent / "out.json").write_text("1")
    with pytest.raises(AttachmentError, match="leads out"):
        read_json(load_mapping({}), (), "../out.json")
    assert read_json(load_mapping({}, allow_outside=True), (), "../out.json") == 1
    monkeypatch.setattr(attachments, "MAX_ATTACHMENT_BYTES", 99)
    with pytest.raises(AttachmentError, match="larger than 99"):
        read_json(load_mapping({}), (), "big.json")
