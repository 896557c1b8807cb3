"""What runs in a training job, whole: a target that takes a workload can forget no part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.targets.job.hyperparameters import hyperparameters, require_weights
from hbspec.targets.job.invocation import Invocation, invocation
from hbspec.targets.job.metrics import metrics
from hbspec.targets.job.source_folder import source_folder
from hbspec.targets.lowering.artifact import Artifact
from hbspec.targets.lowering.needs import Needs


class Workload(NamedTuple):
    """Everything that a target which starts training hands over.

    Attributes:
        call: the command line.
        hyperparameters: name to text, as the script reads them from `hyperparameters.json`.
        metrics: metric name to the regex that finds its value in the log.
        source: the files that run, by path.
    """

    call: Invocation
    hyperparameters: Mapping[str, str]
    metrics: Mapping[str, str]
    source: tuple[Artifact, ...]


def workload(analysis: Analysis, needs: Needs) -> Workload:
    """The workload of a spec, once nothing is missing.

    Raises:
        TargetError: something that the target needs is missing, the hardware is not known, or the author's script or
            its folder cannot be handed over.
    """
    require_weights(needs, analysis)
    needs.done()
    return Workload(
        call=invocation(analysis),
        hyperparameters=hyperparameters(analysis),
        metrics=metrics(analysis),
        source=tuple(source_folder(analysis)),
    )
