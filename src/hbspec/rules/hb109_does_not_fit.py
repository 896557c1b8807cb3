"""Training needs more memory than the GPU has.

Why: The job fails with an out-of-memory error, after the instance was waited for, the weights were downloaded and all
of that was paid for. It is an error if the expected tensors and the CUDA context exceed the GPU's memory, and a warning
if only the reserve of the allocator, which it gives back before it fails, or the high end of the estimate does. States
of a paged optimizer never make a job fail: CUDA moves them to the host, and updates take longer.
The help names a change, or two, that was estimated and makes the job fit; it prefers those that keep the training and
the instance the same.

Example:

    model: {id: Qwen/Qwen2.5-72B}
    instance: {type: ml.p4d.24xlarge}

Instead:

    model: {id: Qwen/Qwen2.5-72B}
    instance: {type: ml.p4de.24xlarge}

References:

    https://huggingface.co/docs/transformers/model_memory_anatomy
    https://github.com/huggingface/peft/issues/1844
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity, known
from hbspec.estimators.job.paging import paging_seconds
from hbspec.estimators.training.devices import DeviceMemory, Expectation
from hbspec.estimators.verdict import Verdict
from hbspec.rules.action import action
from hbspec.rules.causes import Beside, as_severe
from hbspec.rules.fitting import Predicate, change_that_fits
from hbspec.rules.rule import Rule
from hbspec.showing.moments import OUTSIDE_STEPS, PEAKS
from hbspec.units import bytes_text, interval_text, seconds_text

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY, beside=(Beside("HB127", as_severe),))
NAMED_TERMS = 3
"""Terms of the estimate that a message names."""


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the memory of the fullest GPU with what is usable."""
    if analysis.memory_verdict is Verdict.FITS:  # takes less time than how much is needed
        return
    plan, memory = analysis.plan, analysis.deciding_memory
    gpu = plan.require("hardware").gpu
    usable = known(gpu.usable_bytes, f"the usable memory of the {gpu.name}")
    if memory.verdict is Verdict.FITS:
        return
    fullest = memory.fullest
    if fullest.process.high - fullest.paged <= usable:
        message, severity = _paging(analysis, fullest, usable), Severity.WARNING
    else:
        place = f"GPU {fullest.index}" if len(memory.devices) > 1 and plan.way.splits_layers else "a GPU"
        largest = sorted(fullest.terms.items(), key=lambda term: -term[1])[:NAMED_TERMS]
        terms = ", ".join(f"{name.replace('_', ' ')} {bytes_text(size)}" for name, size in largest)
        when = f" {PEAKS[fullest.moment]}" if fullest.moment in OUTSIDE_STEPS else ""
        needs = f"{_needs(fullest, bounded=plan.between is not None)}{when}"
        enough = f"{bytes_text(usable)} of the {gpu.name} is usable"
        message = f"{place} {needs}, but {enough}; the largest parts are {terms}"
        severity = Severity.ERROR if fullest.expected_to_fail else Severity.WARNING
        unread = analysis.document.translated.may_need("less") if analysis.document.translated else ""
        if unread:
            message, severity = f"{message}; {unread} may save memory and is not estimated", Severity.WARNING
    route = ("instance", "type" if analysis.spec.instance.type else "gpu")
    yield RULE.at(route, message, "use a GPU with more memory", severity=severity)


def advise(analysis: Analysis, acceptable: Predicate) -> str:
    """A change, or a pair of changes, that makes the job fit; where none of those tried does, the memory it needs."""
    change = change_that_fits(analysis, acceptable)
    if change:
        return action(change)
    return f"{_more_memory(analysis)}; no single change or pair of changes tried is certain to make it fit"


def _needs(device: DeviceMemory, *, bounded: bool) -> str:
    low, expected, high = (bytes_text(size) for size in device.process.to_dict().values())
    if device.verdict is Verdict.DOES_NOT_FIT:
        alone = " for tensors and the CUDA context alone" if device.without_reserve else ""
        return f"needs about {expected} (at least {low}){alone}"
    if device.expected_to_fail:
        return f"is expected to need about {expected} ({low} to {high})"
    if device.expectation is Expectation.WITHOUT_RESERVE and not bounded:
        tensors = f"needs about {bytes_text(device.needed)} for tensors and the CUDA context"
        return f"{tensors}, and about {expected} (up to {high}) with what the allocator would reserve beside them"
    return f"may need {high} (about {expected} is expected)"


def _paging(analysis: Analysis, device: DeviceMemory, usable: int) -> str:
    """The message where nothing but pages of the optimizer's states has no room."""
    return (
        f"{interval_text(device.paged_out, bytes_text)} of the {bytes_text(device.paged)} of paged optimizer states "
        f"exceed the {bytes_text(usable)} usable: CUDA moves them between GPU and host, which takes "
        f"{interval_text(paging_seconds(analysis.plan), seconds_text)} an update"
    )


def _more_memory(analysis: Analysis) -> str:
    needed = analysis.memory.fullest.process.high
    if needed > max(gpu.usable_bytes or 0 for gpu in analysis.catalog.gpus.values()):
        return f"shard the model over more GPUs or train less of it: no GPU has the {bytes_text(needed)} needed on each"
    return f"use a GPU with at least {bytes_text(needed)} of usable memory"
