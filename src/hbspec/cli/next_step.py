"""The command that comes after `hbspec compile`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

SCRIPTS = {"sagemaker": "submit.sh", "launch": "launch.sh", "deployment": "deploy.sh"}
"""The script of each target that starts something."""

READ, EVALUATED = "--train-dir TRAIN", "--validation-dir VALIDATION"
WRITTEN = "--checkpoint-dir CHECKPOINTS --model-dir MODEL --output-data-dir OUTPUT"
"""Folders of the shipped script, which are SageMaker's where they are not named."""


def next_step(folder: Path, target: str, spec: Mapping[str, Any]) -> str:
    """The command, quoted for a shell; words in capitals are folders that the user chooses.

    Args:
        folder: that was compiled to.
        target: what was compiled.
        spec: the spec's plain values.
    """
    command = f"bash {quote(str(folder / SCRIPTS[target]))}"
    if target != "launch" or spec.get("script"):
        return command
    evaluated = (spec.get("data") or {}).get("validation")
    return " ".join([command, READ, *([EVALUATED] if evaluated else []), WRITTEN])
