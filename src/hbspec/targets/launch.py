"""Target `launch`: the same training on any machine, with one process per GPU or a single one.

`launch.sh` passes all its arguments to the script, so that folders are named when it is run:
`./launch.sh --train-dir data --checkpoint-dir checkpoints --model-dir model --output-data-dir out`.
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.targets.job.invocation import command, exports
from hbspec.targets.job.workload import Workload, workload
from hbspec.targets.lowering.artifact import Artifact, json_artifact, script_artifact
from hbspec.targets.lowering.needs import Needs
from hbspec.targets.lowering.shell import HERE, opening
from hbspec.targets.lowering.target import Target


class Launch(NamedTuple):
    """The content of the compiled folder."""

    name: str
    own_script: bool
    workload: Workload


def lower(analysis: Analysis) -> Launch:
    """Choose the name and the workload.

    Raises:
        LoweringError: the spec does not name the weights, or its script cannot be copied.
    """
    return Launch(
        name=analysis.spec.name,
        own_script=analysis.spec.script is not None,
        workload=workload(analysis, Needs("launch")),
    )


def emit(launch: Launch) -> list[Artifact]:
    """Write the files of the folder."""
    call = launch.workload.call
    lines = [
        *opening(f"{launch.name}: written by hbspec. Needs requirements.txt; all arguments go to the script."),
        f"here=$(cd -- {HERE} && pwd)",
        'export PYTHONPATH="$here/source${PYTHONPATH:+:$PYTHONPATH}"',
        *exports(call),
        *command(call, '"$@"' if launch.own_script else '--config-dir "$here" "$@"', below='"$here"/source/'),
    ]
    return [
        script_artifact("launch.sh", lines),
        json_artifact("hyperparameters.json", dict(launch.workload.hyperparameters)),
        *(file._replace(path=f"source/{file.path}") for file in launch.workload.source),
    ]


TARGET = Target(
    "launch", "a script that runs the same training anywhere", lower, emit, "launch.sh", trains=True, folders=True
)
