"""What changes between two versions of a project, spec by spec; those whose files are the same are left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hbspec.comparison.changed import SpecChange, change_of
from hbspec.comparison.inputs import differ, inputs
from hbspec.comparison.revisions import RevisionError, commit_of, merge_base, put, top_of
from hbspec.comparison.version import SpecVersion, version
from hbspec.source import SourceError, discover, load
from hbspec.spec import section_keys

WORK_TREE = "the work tree"
"""The name of the version that is not a revision."""


class Tree(NamedTuple):
    """The files of one version of a project.

    Attributes:
        name: the revision as the user wrote it, or `WORK_TREE`.
        root: the top folder.
        folder: the folder in it that corresponds to the working folder.
        called: the name of the root in messages; None for the user's own.
    """

    name: str
    root: Path
    folder: Path
    called: str | None


@dataclass(frozen=True, eq=False)
class Diff:
    """Two versions of a spec or of a project.

    Attributes:
        old: the name of the old version.
        new: the name of the new version.
        specs: what changes, by file name.
        unchanged: the number of specs of which nothing was changed.
    """

    old: str
    new: str
    specs: tuple[SpecChange, ...]
    unchanged: int = 0

    @property
    def differs(self) -> bool:
        """Whether there is anything to tell."""
        return any(change.differs for change in self.specs)

    @property
    def new_errors(self) -> int:
        """The number of errors that only the new version has."""
        return sum(change.new_errors for change in self.specs)

    def to_dict(self) -> dict[str, Any]:
        """The document that `hbspec diff --format json` prints."""
        return {
            "format_version": 1,
            "old": self.old,
            "new": self.new,
            "differs": self.differs,
            "new_errors": self.new_errors,
            "unchanged": self.unchanged,
            "specs": [change.to_dict() for change in self.specs],
        }


def diff_files(old: str, new: str, **given: Any) -> Diff:
    """Two spec files; `given` as for `hbspec.api.estimate`."""
    here = Path(Path.cwd().anchor)
    before, after = version(old, here, **given), version(new, here, **given)
    return Diff(old, new, (change_of(new, (before, here), (after, here)),))


def diff_revisions(revision: str, spec: str | None, **given: Any) -> Diff:
    """The specs of two versions of the repository around the working folder.

    Args:
        revision: `REVISION` for it and the work tree, `OLD..NEW` for two, `OLD...NEW` for the last common ancestor of
            both and `NEW`.
        spec: a spec, or a folder; the working folder by default.
        given: the day, the catalog and the rest, as for `hbspec.api.estimate`.

    Raises:
        RevisionError: git, the repository, a revision or the spec is not there.
    """
    here = Path.cwd()
    top = Path(os.path.realpath(top_of(here)))
    within = os.path.relpath(os.path.realpath(here), top)
    wanted = os.path.relpath(spec) if spec else "."
    if os.path.relpath(os.path.realpath(Path(wanted).parent), top).startswith(".."):
        raise RevisionError(f"`{spec}` is outside the repository {top}")
    old, new = _commits(revision, here)
    with _tree(*old, top, within) as before, _tree(*new, top, within) as after:
        return _diff(before, after, wanted, given)


def _commits(revision: str, here: Path) -> tuple[tuple[str, str], tuple[str, str | None]]:
    """The name and the commit of the old version, and those of the new; no commit for the work tree."""
    for dots in ("...", ".."):
        one, found, other = revision.partition(dots)
        if found:
            old, new = one or "HEAD", other or "HEAD"
            commits = commit_of(old, here), commit_of(new, here)
            if dots == "...":
                return (f"{old}...{new}", merge_base(*commits, here)), (new, commits[1])
            return (old, commits[0]), (new, commits[1])
    return (revision, commit_of(revision, here)), (WORK_TREE, None)


@contextmanager
def _tree(name: str, commit: str | None, top: Path, within: str) -> Iterator[Tree]:
    if commit is None:
        yield Tree(name, top, top / within, None)
        return
    with TemporaryDirectory(prefix="hbspec-") as place:
        root = Path(os.path.realpath(place))
        put(commit, top, root)
        (root / within).mkdir(parents=True, exist_ok=True)
        yield Tree(name, root, root / within, f"{name}:")


def _diff(before: Tree, after: Tree, wanted: str, given: dict[str, Any]) -> Diff:
    old, new = _specs(before, wanted), _specs(after, wanted)
    if not old and not new:
        raise RevisionError(f"neither {before.name} nor {after.name} has a spec at `{wanted}`")
    changes, unchanged = [], 0
    for file in dict.fromkeys((*new, *old)):
        if file in old and file in new and not _affected(file, before, after):
            unchanged += 1
            continue
        one, two = (_version(file, tree, given) if file in of else None for tree, of in ((before, old), (after, new)))
        if one and two:
            changes.append(change_of(file, (one, before.root), (two, after.root)))
        else:
            changes.append(SpecChange(file, one, two))
    changes.sort(key=lambda change: change.file)
    return Diff(before.name, after.name, tuple(changes), unchanged)


def _specs(tree: Tree, wanted: str) -> tuple[str, ...]:
    with chdir(tree.folder):
        return discover([wanted], section_keys(()) or ()).specs if os.path.lexists(wanted) else ()


def _version(file: str, tree: Tree, given: dict[str, Any]) -> SpecVersion:
    with chdir(tree.folder):
        return version(file, tree.root, tree.called, **given)


def _affected(file: str, before: Tree, after: Tree) -> bool:
    """Whether any file that a spec of both versions is made of differs; True where that cannot be known."""
    with chdir(after.folder):
        try:
            made_of = inputs(load(file), after.root)
        except SourceError:
            return True
    return any(differ((before.root, path), (after.root, path)) for path in made_of)
