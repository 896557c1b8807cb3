"""Writing a folder: all or nothing, never over what is not ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbspec.cli.folder import MANIFEST, RefusedError, write
from hbspec.targets import Artifact

OLD = [Artifact("job.json", b"{}\n"), Artifact("source/train.py", b"old\n"), Artifact("source/deep/gone.py", b"gone\n")]
NEW = [
    Artifact("job.json", b"[]\n"),
    Artifact("source/train.py", b"new\n"),
    Artifact("launch.sh", b"#!\n", executable=True),
]


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def names(refused):
    return [(diagnostic.code, diagnostic.file) for diagnostic in refused.value.diagnostics]


def test_a_new_folder(tmp_path):
    out = tmp_path / "build" / "x"
    written = write(NEW, out)
    assert written.files == ("job.json", "launch.sh", "source/train.py")
    assert written.removed == ()
    found = tree(tmp_path)
    assert json.loads(found.pop(f"build/x/{MANIFEST}"))["files"] == {a.path: a.digest for a in NEW}
    assert found == {f"build/x/{artifact.path}": artifact.content for artifact in NEW}


def test_programs_can_be_run_by_whoever_can_read_them(tmp_path):
    write(NEW, tmp_path)
    mode = (tmp_path / "launch.sh").stat().st_mode
    assert mode & 0o111 == (mode & 0o444) >> 2
    assert not (tmp_path / "job.json").stat().st_mode & 0o111


def test_again_replaces_what_is_ours_and_removes_what_is_stale(tmp_path):
    write(OLD, tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    assert write(NEW, tmp_path).removed == ("source/deep/gone.py",)
    assert sorted(tree(tmp_path)) == [MANIFEST, "job.json", "launch.sh", "notes.txt", "source/train.py"]
    assert not (tmp_path / "source/deep").exists()
    assert (tmp_path / "source/train.py").read_bytes() == b"new\n"


def test_the_same_again_changes_nothing(tmp_path):
    write(NEW, tmp_path)
    before = tree(tmp_path)
    write(NEW, tmp_path)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("path", "content"),
    [("launch.sh", "mine"), ("source/train.py", "edited"), ("source/deep/gone.py", "edited")],
    ids=["never ours", "edited", "stale and edited"],
)
def test_somebody_s_work_is_refused_by_name(tmp_path, path, content):
    write(OLD, tmp_path)
    (tmp_path / path).write_text(content)
    before = tree(tmp_path)
    with pytest.raises(RefusedError) as refused:
        write(NEW, tmp_path)
    assert names(refused) == [("HB045", str(tmp_path / path))]
    assert tree(tmp_path) == before


def test_all_that_is_in_the_way_is_named(tmp_path):
    for artifact in NEW:
        path = tmp_path / artifact.path
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    with pytest.raises(RefusedError) as refused:
        write(NEW, tmp_path)
    assert [file for _, file in names(refused)] == [str(tmp_path / a.path) for a in sorted(NEW, key=lambda a: a.path)]


def test_links_are_not_followed(tmp_path):
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    out.mkdir()
    (out / "source").symlink_to(elsewhere)
    (out / "job.json").symlink_to(elsewhere / "job.json")
    with pytest.raises(RefusedError) as refused:
        write(NEW, out)
    assert names(refused) == [("HB045", str(out / "job.json")), ("HB046", str(out / "source"))]
    assert not list(elsewhere.iterdir())


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(RefusedError) as refused:
        write(NEW, tmp_path / "out")
    assert names(refused) == [("HB046", str(tmp_path / "out"))]


def test_a_folder_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RefusedError) as refused:
        write(NEW, tmp_path / "file" / "out")
    assert names(refused) == [("HB046", str(tmp_path / "file"))]


@pytest.mark.parametrize(
    "manifest",
    [b"", b"[]", b'{"files": []}', b'{"files": {"a": 1}}', b"[" * 100_000, b'{"files": {"../precious": "x"}}', b"\xff"],
)
def test_a_list_that_is_not_ours(tmp_path, manifest):
    (tmp_path / MANIFEST).write_bytes(manifest)
    with pytest.raises(RefusedError) as refused:
        write(NEW, tmp_path)
    assert names(refused) == [("HB045", str(tmp_path / MANIFEST))]
    assert tree(tmp_path) == {MANIFEST: manifest}


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "", MANIFEST, "a\\b"])
def test_an_artifact_stays_in_its_folder(tmp_path, path):
    with pytest.raises(ValueError, match="must not be called"):
        write([Artifact(path, b"")], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 12))
def test_a_move_that_fails_leaves_everything_as_it_was(tmp_path_factory, failing):
    out = tmp_path_factory.mktemp("work") / "out"
    write(OLD, out)
    (out / "notes.txt").write_text("mine")
    before = tree(out.parent)
    with pytest.MonkeyPatch.context() as patch:
        real, calls = Path.replace, iter(range(100))

        def replace(self, target):
            if next(calls) == failing:
                raise OSError(28, "No space left on device")
            return real(self, target)

        patch.setattr(Path, "replace", replace)
        try:
            write(NEW, out)
        except OSError:
            assert tree(out.parent) == before
        else:
            assert failing >= 8, "three old ones and the list out, then four in"
    assert not list(out.glob(".hbspec-*"))


def test_a_failure_in_a_new_folder_leaves_no_folder(tmp_path, monkeypatch):
    def replace(self, target):
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(OSError, match="Permission denied"):
        write(NEW, tmp_path / "build" / "x")
    assert not list(tmp_path.iterdir())
