"""The workload of a training job: all its parts in one value, so that a target cannot forget one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hbspec.analysis import Analysis
from hbspec.targets.job.hyperparameters import hyperparameters, require_weights
from hbspec.targets.job.initial_adapters import refuse_unreachable
from hbspec.targets.job.invocation import Invocation, invocation
from hbspec.targets.job.metrics import metrics
from hbspec.targets.job.source_folder import source_folder
from hbspec.targets.lowering.artifact import Artifact
from hbspec.targets.lowering.needs import LoweringError, Needs, refusal


class Workload(NamedTuple):
    """The parts of a training job that every target passes on.

    Attributes:
        call: the command line.
        hyperparameters: strings by name, as the script reads them from `hyperparameters.json`.
        metrics: regular expressions by metric name, which find its value in the log.
        source: the source files.
    """

    call: Invocation
    hyperparameters: Mapping[str, str]
    metrics: Mapping[str, str]
    source: tuple[Artifact, ...]


def workload(analysis: Analysis, needs: Needs) -> Workload:
    """The workload of a spec.

    Raises:
        LoweringError: a key that the target needs is missing, the hardware is unknown, or the author's script or its
            folder cannot be copied into the job.
    """
    require_weights(needs, analysis)
    refuse_unreachable(needs, analysis.spec)
    needs.done()
    _refuse_framework(needs, analysis)
    return Workload(
        call=invocation(analysis),
        hyperparameters=hyperparameters(analysis),
        metrics=metrics(analysis),
        source=tuple(source_folder(analysis)),
    )


def _refuse_framework(needs: Needs, analysis: Analysis) -> None:
    """Refuse a framework without a script that starts it.

    Raises:
        LoweringError: `software.trainer` names one, and `script` does not say how it is started.
    """
    spec = analysis.spec
    if spec.script is None and not spec.shipped:
        message = f"target {needs.target} starts the shipped script or yours, but trainer is {spec.software.trainer}"
        action = f"set script.entry_point to a script that starts {spec.software.trainer}"
        raise LoweringError([refusal("HB040", ("software", "trainer"), message, action)])
