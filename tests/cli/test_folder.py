"""Writing a folder: all or nothing, never over what is not ours."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hbspec.cli import folder, whole
from hbspec.cli.folder import MANIFEST, RefusedError, write
from hbspec.targets.lowering.artifact import Artifact

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
    out = tmp_path / "out"
    write(OLD, out)
    assert write(NEW, out).removed == ("source/deep/gone.py",)
    assert sorted(tree(tmp_path)) == [f"out/{name}" for name in (MANIFEST, "job.json", "launch.sh", "source/train.py")]
    assert not (out / "source/deep").exists()
    assert (out / "source/train.py").read_bytes() == b"new\n"


def test_the_same_again_changes_nothing(tmp_path):
    write(NEW, tmp_path)
    before = tree(tmp_path)
    write(NEW, tmp_path)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("path", "content"),
    [("source/train.py", "edited"), ("source/deep/gone.py", "edited")],
    ids=["edited", "stale and edited"],
)
def test_somebody_s_work_is_refused_by_name(tmp_path, path, content):
    write(OLD, tmp_path)
    (tmp_path / path).write_text(content)
    before = tree(tmp_path)
    with pytest.raises(RefusedError) as refused:
        write(NEW, tmp_path)
    assert names(refused) == [("HB045", str(tmp_path / path))]
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "path", ["notes.txt", "source/mine.py", "data/a/b.jsonl", "runs/", "source/checkpoints/"], ids=str
)
def test_a_folder_that_holds_something_else_is_refused_by_its_name(tmp_path, path):
    write(OLD, tmp_path)
    if path.endswith("/"):
        (tmp_path / path).mkdir()
    else:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("mine")
    before = tree(tmp_path)
    with pytest.raises(RefusedError, match="holds files that hbspec did not write: ") as refused:
        write(NEW, tmp_path)
    assert names(refused) == [("HB045", str(tmp_path))]
    assert path.replace("a/b.jsonl", "") in str(refused.value)
    assert tree(tmp_path) == before


def test_some_of_many_are_named(tmp_path):
    for number in range(20):
        (tmp_path / f"{number:02}.txt").write_text("mine")
    with pytest.raises(RefusedError, match=r"write: 00\.txt, 01\.txt, 02\.txt, 03\.txt, 04\.txt, …$"):
        write(NEW, tmp_path)


def test_what_systems_leave_in_a_folder_is_nobody_s_work(tmp_path):
    write(OLD, tmp_path)
    for path in (".DS_Store", "source/__pycache__/train.cpython-311.pyc"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("")
    write(NEW, tmp_path)
    assert sorted(tree(tmp_path)) == [MANIFEST, "job.json", "launch.sh", "source/train.py"]


def test_a_cache_where_nothing_was_compiled_is_foreign(tmp_path):
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/mine.pyc").write_text("")
    with pytest.raises(RefusedError, match="__pycache__/"):
        write(NEW, tmp_path)


def test_links_are_not_followed(tmp_path):
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    write(OLD, out)
    (out / "source/train.py").rename(elsewhere / "train.py")
    (out / "source/train.py").symlink_to(elsewhere / "train.py")
    (out / "more").symlink_to(elsewhere)
    before = tree(elsewhere)
    with pytest.raises(RefusedError, match=r"did not write: more;") as refused:
        write(NEW, out)
    assert names(refused) == [("HB045", str(out)), ("HB045", str(out / "source/train.py"))]
    assert tree(elsewhere) == before


def test_a_folder_that_is_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "there")
    with pytest.raises(RefusedError) as refused:
        write(NEW, tmp_path / "out")
    assert names(refused) == [("HB046", str(tmp_path / "out"))]
    assert not list((tmp_path / "there").iterdir())


def test_a_link_above_the_folder_is_followed(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    write(NEW, tmp_path / "link" / "out")
    assert sorted(entry.name for entry in (tmp_path / "there").iterdir()) == ["out"]


@pytest.mark.parametrize(("inside", "name"), [("", "."), ("below", ".."), ("below", "../../out")])
def test_the_folder_that_a_command_runs_in_is_refused(tmp_path, monkeypatch, inside, name):
    (tmp_path / "out" / inside).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "out" / inside)
    with pytest.raises(RefusedError) as refused:
        write(NEW, Path(name))
    assert [code for code, _ in names(refused)] == ["HB045" if inside else "HB047"]
    assert not list(Path.cwd().iterdir())


@pytest.mark.parametrize("name", ["missing/..", "missing/deeper/../..", "out/../missing/..", "missing/../../here"])
def test_a_way_back_over_a_missing_folder_is_seen_through(tmp_path, monkeypatch, name):
    here = tmp_path / "here"
    (here / "out").mkdir(parents=True)
    (here / "thesis.txt").write_text("years of work")
    before = tree(tmp_path)
    monkeypatch.chdir(here)
    with pytest.raises(RefusedError) as refused:
        write(NEW, Path(name))
    assert names(refused) == [("HB045", str(here))]
    assert tree(tmp_path) == before


def test_a_way_back_to_a_link_is_no_way_through_it(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "there")
    with pytest.raises(RefusedError) as refused:
        write(NEW, tmp_path / "missing" / ".." / "out")
    assert names(refused) == [("HB046", str(tmp_path / "out"))]


def test_a_way_back_to_a_new_folder_is_that_folder(tmp_path):
    write(NEW, tmp_path / "missing" / ".." / "out")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out"]


def test_the_root_is_refused():
    with pytest.raises(RefusedError, match=r"^/ holds files that hbspec did not write") as refused:
        write(NEW, Path("/"))
    assert names(refused) == [("HB045", "/")]


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EBUSY])
def test_a_folder_that_cannot_be_renamed_is_left_as_it_is(tmp_path, monkeypatch, code):
    out = tmp_path / "out"
    write(OLD, out)
    before = tree(tmp_path)

    def refuse(*_):
        raise OSError(code, os.strerror(code), str(out))

    monkeypatch.setattr(whole, "_renameat2", refuse)
    with pytest.raises(RefusedError) as refused:
        write(NEW, out)
    assert names(refused) == [("HB047", str(out))]
    assert tree(tmp_path) == before


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
    with pytest.raises(ValueError, match="cannot have the path"):
        write([Artifact(path, b"")], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("named", [True, False], ids=["named", "as the system says it of an open file"])
@pytest.mark.parametrize("start", [True, False], ids=["over an old one", "into nothing"])
def test_a_full_disk_leaves_everything_as_it_was(tmp_path, monkeypatch, start, named):
    """Whichever file it is that finds no room, or the exchange itself."""
    out = tmp_path / "build" / "out"
    if start:
        write(OLD, out)
    before = tree(tmp_path)
    for failing in range(len(NEW) + 1):
        real, calls = folder.write_through, iter(range(100))

        def full(file, content, real=real, calls=calls, failing=failing):
            if next(calls) == failing:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), *([str(file)] if named else []))
            real(file, content)

        monkeypatch.setattr(folder, "write_through", full)
        with pytest.raises(OSError, match="No space left") as refused:
            write(NEW, out)
        monkeypatch.setattr(folder, "write_through", real)
        assert refused.value.filename == str(out)
        assert tree(tmp_path) == before
        assert start or not list(tmp_path.iterdir())


def test_a_disk_that_may_not_be_written_is_told_by_the_folders_name(tmp_path, monkeypatch):
    def refuse(entry):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(entry))

    monkeypatch.setattr(folder, "clear", refuse)
    with pytest.raises(OSError, match="Read-only") as refused:
        write(NEW, tmp_path / "out")
    assert refused.value.filename == str(tmp_path / "out")


def test_a_parent_that_may_not_be_written_is_named(tmp_path, monkeypatch):
    def refuse(self, *_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    write(OLD, tmp_path / "out")
    before = tree(tmp_path)
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PermissionError):
        write(NEW, tmp_path / "out")
    assert tree(tmp_path) == before


def test_what_may_not_be_written_any_more_is_still_cleared_away(tmp_path):
    out = tmp_path / "out"
    write(OLD, out)
    (out / "source").chmod(0o555)
    write(NEW, out)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_the_mode_of_the_folder_stays(tmp_path):
    out = tmp_path / "out"
    write(OLD, out)
    out.chmod(0o2770)
    write(NEW, out)
    assert out.stat().st_mode & 0o7777 == 0o2770


def test_a_link_where_the_work_is_done_is_not_followed(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_text("mine")
    whole.aside(tmp_path / "out").symlink_to(tmp_path / "precious")
    write(NEW, tmp_path / "out")
    assert tree(tmp_path / "precious") == {"file": b"mine"}


def test_two_at_a_time_both_finish_and_one_of_them_is_there(tmp_path):
    script = (
        "import sys; from pathlib import Path\n"
        "from hbspec.cli.folder import write; from hbspec.targets.lowering.artifact import Artifact\n"
        "[write([Artifact(f'{sys.argv[1]}{n}', b'') for n in range(9)], Path('out')) for _ in range(20)]"
    )
    both = [subprocess.Popen([sys.executable, "-c", script, name], cwd=tmp_path) for name in "ab"]
    assert [process.wait(300) for process in both] == [0, 0]
    found = sorted(tree(tmp_path / "out").keys() - {MANIFEST})
    assert found in ([f"a{n}" for n in range(9)], [f"b{n}" for n in range(9)])
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("number", "way", "what"),
    [
        pytest.param("SIGKILL", "exchange", "folder", marks=pytest.mark.long),
        pytest.param("SIGINT", "exchange", "folder", marks=pytest.mark.long),
        pytest.param("SIGKILL", "rename", "folder", marks=pytest.mark.long),
        pytest.param("SIGTERM", "exchange", "compile", marks=pytest.mark.long),
        pytest.param("SIGINT", "exchange", "compile", marks=pytest.mark.long),
        ("SIGKILL", "exchange", "replace"),
        ("SIGKILL", "exchange", "create"),
        ("SIGINT", "rename", "create"),
    ],
)
def test_a_signal_at_any_moment_leaves_the_old_or_the_new(tmp_path, number, way, what):
    harness = Path(__file__).with_name("killing.py")
    memory = Path("/dev/shm")
    where = memory if memory.is_dir() else tmp_path
    done = subprocess.run(
        [sys.executable, harness, number, way, where, what],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert found["moments"] > (10 if what == "create" else 20)


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_file_that_comes_during_the_exchange_is_kept(tmp_path, monkeypatch, exchanges):
    out = tmp_path / "out"
    write(OLD, out)
    swap = whole.swap_folder

    def slow(new, place, spare):
        if not (place / "mine").exists() and "old" in spare.name:
            (place / "mine").write_text("work of an hour")
        swap(new, place, spare)

    monkeypatch.setattr("hbspec.cli.folder.swap_folder", slow)
    if not exchanges:
        monkeypatch.setattr(whole, "_renameat2", lambda *_: False)
    with pytest.raises(RefusedError) as refused:
        write(NEW, out)
    assert names(refused) == [("HB045", str(out))]
    assert (out / "mine").read_text() == "work of an hour"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_file_that_came_during_the_exchange_and_left_is_no_success(tmp_path, monkeypatch, exchanges):
    """As an editor's: the old folder is back, so the new one was not written."""
    out = tmp_path / "out"
    write(OLD, out)
    before = tree(out)
    swap = whole.swap_folder

    def slow(new, place, spare):
        if "old" in spare.name:
            (place / "mine").write_text("of an editor")
        swap(new, place, spare)
        if "old" not in spare.name:
            (place / "mine").unlink()

    monkeypatch.setattr("hbspec.cli.folder.swap_folder", slow)
    if not exchanges:
        monkeypatch.setattr(whole, "_renameat2", lambda *_: False)
    with pytest.raises(RefusedError) as refused:
        write(NEW, out)
    assert names(refused) == [("HB045", str(out))]
    assert tree(out) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


KILLED = """
import os, signal, sys
from pathlib import Path
from hbspec.cli import folder, whole
from hbspec.targets.lowering.artifact import Artifact
exchange, number, undone = folder.swap_folder, getattr(signal, sys.argv[1]), sys.argv[3] == "undone"
if sys.argv[2] == "rename":
    whole._renameat2 = lambda *_: False
def swap(new, place, spare):
    (place / "mine").write_text("work of an hour")
    folder.swap_folder = cut if undone else exchange
    exchange(new, place, spare)
    if not undone:
        os.kill(os.getpid(), number)
def cut(new, place, spare):
    folder.swap_folder = exchange
    os.kill(os.getpid(), number)
    exchange(new, place, spare)
folder.swap_folder = swap
folder.write([Artifact("launch.sh", b"#!\\n", executable=True)], Path("out"))
"""


@pytest.mark.one_in(3)
@pytest.mark.parametrize("number", ["SIGKILL", "SIGINT"])
@pytest.mark.parametrize("way", ["exchange", "rename"])
@pytest.mark.parametrize("moment", ["exchanged", "undone"])
def test_a_file_that_came_before_a_compile_was_killed_goes_back(tmp_path, number, way, moment):
    out = tmp_path / "out"
    write(OLD, out)
    before = tree(out)
    done = subprocess.run([sys.executable, "-c", KILLED, number, way, moment], cwd=tmp_path, capture_output=True)
    assert done.returncode < 0 or number == "SIGINT"
    with pytest.raises(RefusedError) as refused:
        write(NEW, out)
    assert "mine" in str(refused.value)
    assert tree(out) == {**before, "mine": b"work of an hour"}
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_where_a_file_came_into_both_folders_both_are_kept(tmp_path):
    out = tmp_path / "out"
    write(OLD, out)
    subprocess.run([sys.executable, "-c", KILLED, "SIGKILL", "exchange", "exchanged"], cwd=tmp_path, check=False)
    (out / "another").write_text("work of a day")
    with pytest.raises(RefusedError, match="another"):
        write(NEW, out)
    assert (whole.aside(out) / "new/mine").read_text() == "work of an hour"
    (out / "another").rename(tmp_path / "another")
    with pytest.raises(RefusedError, match="mine"):
        write(NEW, out)
    assert (out / "mine").read_text() == "work of an hour"


def test_a_folder_that_a_training_run_has_locked_is_not_waited_for(tmp_path):
    from fcntl import LOCK_EX, flock

    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        flock(handle, LOCK_EX)
        script = "from pathlib import Path; from hbspec.cli.folder import write; write([], Path('out'))"
        subprocess.run([sys.executable, "-c", script], cwd=tmp_path, timeout=300, check=True)
    finally:
        os.close(handle)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_a_file_with_the_name_of_the_lock_is_not_deleted(tmp_path):
    (tmp_path / whole.LOCK).write_text("mine")
    write(NEW, tmp_path / "out")
    assert (tmp_path / whole.LOCK).read_text() == "mine"
