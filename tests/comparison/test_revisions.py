"""Revisions are read as they are, and a tree that git itself would not write leads nowhere."""

from __future__ import annotations

import os
import subprocess

import pytest

from hbspec.comparison.inputs import LARGEST
from hbspec.comparison.revisions import RevisionError, commit_of, merge_base, put, top_of

QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


@pytest.fixture
def git(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()

    def run(*words, given=b""):
        environment = {**os.environ, **QUIET}
        done = subprocess.run(
            ["git", *words], cwd=folder, env=environment, input=given, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    run.folder = folder
    run("init", "--quiet", "--initial-branch", "main")
    return run


def committed(git, message="one"):
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", "--message", message)
    return git("rev-parse", "HEAD")


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def test_files_links_and_names_are_those_of_the_revision(git, place):
    name = os.fsdecode(b"na\xffme \n.yaml")
    (git.folder / "below").mkdir()
    (git.folder / "below" / name).write_bytes(b"a\r\nb")
    (git.folder / "link").symlink_to("below")
    (git.folder / "empty").write_bytes(b"")
    commit = committed(git)
    (git.folder / "empty").write_bytes(b"not any more")
    put(commit, git.folder, place)
    assert (place / "link" / name).read_bytes() == b"a\r\nb"
    assert (place / "link").is_symlink()
    assert (place / "empty").read_bytes() == b""
    assert sorted(path.name for path in place.iterdir()) == [".git", "below", "empty", "link"]


def test_a_file_that_nothing_reads_has_its_size_and_no_content(git, place):
    with (git.folder / "weights.bin").open("wb") as file:
        file.truncate(LARGEST + 1)
    put(committed(git), git.folder, place)
    assert (place / "weights.bin").stat().st_size == LARGEST + 1
    assert (place / "weights.bin").stat().st_blocks < LARGEST // 512


def forged(git, *entries):
    """A commit of a tree with these entries, each a mode, a name, and the name of an object."""
    tree = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(of) for mode, name, of in entries)
    made = git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", given=tree)
    return git("commit-tree", made, "-m", "forged")


def blob(git, content):
    return git("hash-object", "-w", "--stdin", given=content)


@pytest.mark.parametrize("name", ["..", ".git", ".GIT", "../x", "/x"])
def test_a_name_that_leads_out_is_refused(git, place, name):
    commit = forged(git, ("100644", name, blob(git, b"evil")))
    with pytest.raises(RevisionError, match="leads out of it"):
        put(commit, git.folder, place)
    assert [path for path in place.parent.rglob("*") if path.is_file() and path.read_bytes() == b"evil"] == []


def test_nothing_is_written_through_a_link_of_the_revision(git, place, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    inner = git("mktree", given=f"100644 blob {blob(git, b'evil')}\tfile\n".encode())
    link = blob(git, os.fsencode(outside))
    commit = forged(git, ("120000", "a", link), ("40000", "a", inner))
    with pytest.raises(RevisionError, match="two entries named `a`"):
        put(commit, git.folder, place)
    assert list(outside.iterdir()) == []


def test_a_missing_object_is_named(git, place):
    (git.folder / "spec.yaml").write_text("hbspec: 1")
    commit = committed(git)
    of = git("rev-parse", "HEAD:spec.yaml")
    (git.folder / ".git" / "objects" / of[:2] / of[2:]).unlink()
    with pytest.raises(RevisionError, match=r"`spec\.yaml` is missing in this clone; fetch"):
        put(commit, git.folder, place)


def test_histories_without_a_common_commit(git):
    one = committed(git)
    git("checkout", "--quiet", "--orphan", "other")
    two = committed(git, "two")
    assert merge_base(one, one, git.folder) == one
    with pytest.raises(RevisionError, match="have no common ancestor here; fetch more history"):
        merge_base(one, two, git.folder)


def test_what_a_revision_may_be_called(git):
    commit = committed(git)
    git("branch", "feature/x")
    assert {commit_of(name, git.folder) for name in ("HEAD", "main", "feature/x", commit, commit[:8])} == {commit}
    for name in ("", "-h", "--all", "HEAD:", "main^{tree}", "a\0b", "HEAD\n"):
        with pytest.raises(RevisionError, match="is neither a file nor a revision"):
            commit_of(name, git.folder)
    assert top_of(git.folder) == git.folder
