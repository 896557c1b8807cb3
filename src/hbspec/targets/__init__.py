"""Targets: `lower(analysis)` decides, `emit(decision)` spells. Same spec, same bytes: no clock, no network."""

from __future__ import annotations

from importlib import import_module

from hbspec.analysis import Analysis
from hbspec.diagnostics import NotKnownError
from hbspec.targets.artifact import Artifact
from hbspec.targets.needs import TargetError, refusal

__all__ = ["TARGETS", "Artifact", "TargetError", "emit"]

TARGETS = {
    "sagemaker": "the body of CreateTrainingJob and the source folder that it runs",
    "launch": "a script that runs the same training anywhere",
    "deployment": "the bodies of CreateModel, CreateEndpointConfig and CreateEndpoint",
}

FORCED = "FORCED.txt"


def emit(analysis: Analysis, target: str, *, forced: bool = False) -> list[Artifact]:
    """The files of one target, by path.

    Args:
        analysis: of a spec that was judged.
        target: one of `TARGETS`.
        forced: whether the spec has errors and was compiled all the same, which one more file then says.

    Raises:
        ValueError: there is no such target.
        TargetError: the spec lacks what the target needs, or the service would refuse it.
    """
    if target not in TARGETS:
        raise ValueError(f"there is no target {target!r}; the targets are {', '.join(TARGETS)}")
    module = import_module(f"hbspec.targets.{target}")
    try:
        artifacts: list[Artifact] = module.emit(module.lower(analysis))
    except NotKnownError as missing:
        message = f"target {target} needs {missing}, which is not known"
        raise TargetError([refusal("HB040", (), message, "add what is missing")]) from None
    if forced:
        text = "The spec had errors when this was compiled with --force: `hbspec check` lists them.\n"
        artifacts.append(Artifact(FORCED, text.encode()))
    return sorted(artifacts, key=lambda artifact: artifact.path)
