"""The form of a target, and how one is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from hbspec.analysis import Analysis
from hbspec.diagnostics import NotKnownError
from hbspec.targets.lowering.artifact import Artifact
from hbspec.targets.lowering.needs import TargetError, refusal

Decision = TypeVar("Decision")

FORCED = "FORCED.txt"


class Target(NamedTuple, Generic[Decision]):
    """One target; its type says that what `lower` decides is what `emit` spells.

    Attributes:
        name: of the target and of its module.
        summary: what it writes, a noun phrase.
        lower: decides. Raises `TargetError` if the spec lacks what the target needs.
        emit: spells the decision as files, from nothing else. Raises `TargetError` if the service would reject it.
        script: the file that starts what was compiled, below the target's folder.
        trains: whether it starts training, and so hands over the whole `job.workload`.
        folders: whether the shipped script is told its folders on the command line, and not by the service.
    """

    name: str
    summary: str
    lower: Callable[[Analysis], Decision]
    emit: Callable[[Decision], list[Artifact]]
    script: str
    trains: bool = False
    folders: bool = False

    def compiled(self, analysis: Analysis, *, forced: bool = False) -> list[Artifact]:
        """The files of the target, by path.

        Args:
            analysis: of a spec that was judged.
            forced: whether the spec has errors and is compiled all the same; one more file then says so.

        Raises:
            TargetError: the spec lacks what the target needs, or the service would reject it.
        """
        try:
            artifacts = self.emit(self.lower(analysis))
        except NotKnownError as missing:
            message = f"target {self.name} needs {missing}, which is not known"
            raise TargetError([refusal("HB040", (), message, "add what is missing")]) from None
        if forced:
            text = "The spec had errors when this was compiled with --force: `hbspec check` lists them.\n"
            artifacts = [*artifacts, Artifact(FORCED, text.encode())]
        return sorted(artifacts, key=lambda artifact: artifact.path)
