"""The command that comes after `hbspec compile`."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Any

from hbspec.spec import Spec
from hbspec.targets.lowering.target import Target

READ, EVALUATED = "--train-dir TRAIN", "--validation-dir VALIDATION"
WRITTEN = "--checkpoint-dir CHECKPOINTS --model-dir MODEL --output-data-dir OUTPUT"
"""Options for the folders of the shipped script; without them it uses SageMaker's folders."""


def next_step(folder: Path, target: Target[Any], spec: Spec) -> str:
    """The command that runs the compiled files, quoted for a shell; words in capitals are folders to choose.

    Args:
        folder: the compiled folder.
        target: the compiled target.
        spec: the compiled spec.
    """
    script = str(folder / target.script)
    command = f"bash {quote(script if not script.startswith('-') else f'./{script}')}"  # `-x/launch.sh` is an option
    if not target.folders or spec.script:
        return f"{command} {target.asks}" if target.asks else command
    return " ".join(
        [command, READ, *([EVALUATED] if spec.data.validation and spec.data.validation.share is None else []), WRITTEN]
    )
