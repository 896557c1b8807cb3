"""A number of threads is above the processors of the instance, or is not a number of threads.

Why: `OMP_NUM_THREADS` is read by each process. More threads than the host has processors take turns on them: loading
and collating data become slower, and the GPUs wait. Zero is not a number of threads: it is ignored with a warning.

Example:

    sagemaker: {environment: {OMP_NUM_THREADS: "512"}}

Instead:

    sagemaker: {environment: {OMP_NUM_THREADS: "8"}}

References:

    https://github.com/pytorch/pytorch/issues/22260
    https://docs.pytorch.org/docs/stable/notes/multiprocessing.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.rules.rule import Rule
from hbspec.units import count_text

RULE = Rule(__name__, Severity.WARNING)
VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")

LONGEST = 9
"""Digits of a number of threads."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare with the processors of the instance: one process at least that has a thread for each of them is ordinary.

    torchrun's default is 1, and recipes set 1 to 16; a list of nested levels (`8,2`) is judged by its first.
    """
    account, hardware = analysis.spec.sagemaker, analysis.plan.hardware
    processors = hardware.instance.vcpus if hardware is not None and hardware.instance is not None else None
    for name in VARIABLES if account is not None else ():
        value = account.environment.get(name) if account else None
        if value is None:
            continue
        first = value.partition(",")[0].strip()
        if not first.isdecimal() or len(first) > LONGEST or int(first) == 0:
            said = f"{name} {value!r} is not a number of threads"
        elif processors is not None and int(first) > processors:
            said = f"{name} {count_text(int(first))} is above the {count_text(processors)} processors of the instance"
        else:
            continue
        yield RULE.at(
            ("sagemaker", "environment", name), said, f"set {name} to the processors of one GPU, or delete it"
        )
