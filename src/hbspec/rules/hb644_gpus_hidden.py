"""A variable hides GPUs from the job.

Why: `CUDA_VISIBLE_DEVICES` and `NVIDIA_VISIBLE_DEVICES` say which GPUs a process may see. One process per GPU is
started for all GPUs of the instance, so that those without one end with "invalid device ordinal"; where none is
visible, the job trains on the processors or not at all. Under `single` and `pipeline` the hidden GPUs are paid for and
idle.

Example:

    sagemaker: {environment: {CUDA_VISIBLE_DEVICES: "0"}}

Instead:

    sagemaker: {environment: {}}

References:

    https://docs.nvidia.com/cuda/cuda-c-programming-guide/index.html#cuda-environment-variables
    https://github.com/wenwenyu/PICK-pytorch/issues/14
    https://github.com/HRNet/HRNet-Semantic-Segmentation/issues/171
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.ERROR)
CUDA, CONTAINER = "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"
PROCESSORS, ON = "ACCELERATE_USE_CPU", ("1", "true", "yes", "y", "t", "on")
"""What accelerate reads as true (`accelerate.utils.environment.str_to_bool`)."""
LONGEST = 4
"""Digits of the number of a GPU."""
NONE = ("none", "void", "-1", "NoDevFiles")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the GPUs that each variable names with those that the job's processes on one instance use."""
    account, hardware = analysis.spec.sagemaker, analysis.plan.hardware
    if account is None or hardware is None:
        return
    gpus, way = hardware.gpus_per_instance, analysis.plan.way
    used = gpus if way.distributed or way.name == "pipeline" else 1
    if account.environment.get(PROCESSORS, "").lower() in ON:
        said = f"{PROCESSORS} {account.environment[PROCESSORS]} trains on the processors, although the job has GPUs"
        yield RULE.at(("sagemaker", "environment", PROCESSORS), said, f"delete {PROCESSORS}")
    for name in (CUDA, CONTAINER):
        value = account.environment.get(name)
        visible = None if value is None else _visible(name, value, gpus)
        if visible is not None and visible < used:
            yield RULE.at(
                ("sagemaker", "environment", name),
                f"{name} {value!r} leaves {count_text(visible)} of {count_text(gpus)} GPUs visible, but "
                f"parallelism: {way.name} uses {count_text(used)}",
                f"delete {name}",
                severity=Severity.ERROR if way.distributed or visible == 0 else Severity.WARNING,
                confidence=Confidence.CERTAIN if name == CUDA else Confidence.LIKELY,
            )


def _visible(name: str, value: str, gpus: int) -> int | None:
    """GPUs that a value names, up to the first that the instance lacks, as CUDA reads it.

    None where the value says all, or is an empty one of the container's, which the runtime may not see.
    """
    named = [part.strip() for part in value.split(",")]
    if name == CONTAINER and named in (["all"], [""]):
        return None
    count = 0
    for part in named:
        if not part or part in NONE or (part.isdecimal() and (len(part) > LONGEST or int(part) >= gpus)):
            break
        count += 1
    return count
