"""Targets: `lower(analysis)` decides, `emit(decision)` spells. Same spec, same bytes: no clock, no network."""

from __future__ import annotations

from typing import Any

from hbspec.targets.artifact import Artifact

__all__ = ["TARGETS", "Artifact", "emit"]

TARGETS = ("sagemaker", "launch", "deployment")

FORCED = "FORCED.txt"


def emit(analysis: Any, target: str, *, forced: bool = False) -> list[Artifact]:
    """The files of one target, by path.

    Args:
        analysis: of a spec that was judged.
        target: one of `TARGETS`.
        forced: whether the spec has errors and was compiled all the same, which one more file then says.

    Raises:
        ValueError: there is no such target.
        hbspec.targets.needs.TargetError: the spec lacks what the target needs, or the service would refuse it.
    """
    if target not in TARGETS:
        raise ValueError(f"there is no target {target!r}; the targets are {', '.join(TARGETS)}")
    from importlib import import_module

    module = import_module(f"hbspec.targets.{target}")
    artifacts: list[Artifact] = module.emit(module.lower(analysis))
    if forced:
        text = "The spec had errors when this was compiled with --force: `hbspec check` lists them.\n"
        artifacts.append(Artifact(FORCED, text.encode()))
    return sorted(artifacts, key=lambda artifact: artifact.path)
