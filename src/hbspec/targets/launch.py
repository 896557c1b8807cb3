"""Target `launch`: the same training anywhere, a process for each GPU or one.

`launch.sh` hands all its arguments on to the script, so folders are named when it is run:
`./launch.sh --train-dir data --checkpoint-dir checkpoints --model-dir model --output-data-dir out`.
"""

from __future__ import annotations

from dataclasses import dataclass

from hbspec.analysis import Analysis
from hbspec.targets.artifact import Artifact, comment, json_artifact, script_artifact
from hbspec.targets.hyperparameters import hyperparameters, require_weights
from hbspec.targets.invocation import Invocation, command, exports, invocation
from hbspec.targets.needs import Needs
from hbspec.targets.source_folder import source_folder


@dataclass(frozen=True, slots=True)
class Launch:
    """What the folder holds."""

    name: str
    call: Invocation
    own_script: bool
    hyperparameters: dict[str, str]
    source: tuple[Artifact, ...]


def lower(analysis: Analysis) -> Launch:
    """Decide what is run.

    Raises:
        TargetError: the spec does not name the weights.
    """
    needs = Needs("launch")
    require_weights(needs, analysis)
    needs.done()
    call = invocation(analysis)
    return Launch(
        name=analysis.spec.name,
        call=call,
        own_script=analysis.spec.script is not None,
        hyperparameters=hyperparameters(analysis),
        source=tuple(source_folder(analysis)),
    )


def emit(launch: Launch) -> list[Artifact]:
    """Spell it."""
    lines = [
        "#!/usr/bin/env bash",
        comment(f"{launch.name}: written by hbspec. Needs requirements.txt; arguments are handed on to the script."),
        "set -euo pipefail",
        'here=$(cd "$(dirname "$0")" && pwd)',
        'export PYTHONPATH="$here/source${PYTHONPATH:+:$PYTHONPATH}"',
        *exports(launch.call),
        *command(launch.call, '"$@"' if launch.own_script else '--config-dir "$here" "$@"', below='"$here"/source/'),
    ]
    return [
        script_artifact("launch.sh", lines),
        json_artifact("hyperparameters.json", launch.hyperparameters),
        *(file._replace(path=f"source/{file.path}") for file in launch.source),
    ]
