"""The form of a target, and its compilation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from hbspec.analysis import Analysis
from hbspec.diagnostics import NotKnownError
from hbspec.targets.lowering.artifact import Artifact
from hbspec.targets.lowering.needs import LoweringError, refusal

Decision = TypeVar("Decision")

FORCED = "FORCED.txt"


class Target(NamedTuple, Generic[Decision]):
    """One target; its type parameter is the decision that `lower` returns and `emit` takes.

    Attributes:
        name: name of the target and of its module.
        summary: a noun phrase for the compiled files.
        lower: makes the decision. Raises `LoweringError` if the spec lacks a key that the target needs.
        emit: writes the files from the decision alone. Raises `LoweringError` if the service would reject it.
        script: path of the script that starts the compiled job, below the target's folder.
        trains: whether the target starts training, and so passes on the whole `job.workload`.
        folders: whether the shipped script gets its folders on the command line, not from the service.
        asks: what the script asks for on its command line, in capitals.
        deploys: whether the target puts the model before users, and so needs the record of its evaluation.
        serves: whether it starts the model for its author, and so says what its evaluation showed: without a gate,
            since what is evaluated has to be served before.
    """

    name: str
    summary: str
    lower: Callable[[Analysis], Decision]
    emit: Callable[[Decision], list[Artifact]]
    script: str
    trains: bool = False
    folders: bool = False
    asks: str = ""
    deploys: bool = False
    serves: bool = False

    def compiled(self, analysis: Analysis, *, forced: bool = False) -> list[Artifact]:
        """The files of the target, by path.

        Args:
            analysis: the analysis of a checked spec.
            forced: whether the spec has errors and is compiled anyway; one more file then says so.

        Raises:
            LoweringError: the spec lacks a key that the target needs, or the service would reject a request.
        """
        try:
            artifacts = self.emit(self.lower(analysis))
        except NotKnownError as missing:
            message = f"target {self.name} needs {missing}, which is not known"
            raise LoweringError([refusal("HB040", (), message, "add the missing value")]) from None
        if forced:
            text = "The spec had errors when this was compiled with --force: `hbspec check` lists them.\n"
            artifacts = [*artifacts, Artifact(FORCED, text.encode())]
        return sorted(artifacts, key=lambda artifact: artifact.path)
