"""FSDP shards weights only after every GPU has loaded all of them.

Why: axolotl moves the whole model to every GPU unless `cpu_ram_efficient_loading` is true. Since transformers 5.0 each
process quantises the whole model on its own GPU, and FSDP shards it afterwards: every GPU holds 39.5 GB for 70B in 4
bits. FSDP2 still has all of it when it makes the last shard. The job fails while it loads, although training would fit.
From 4.39 to 4.57, RAM-efficient loading moved each weight off the GPU; whether it is on is not part of a spec, so that
these versions get a warning. More GPUs do not help, and neither does offloading.

Example:

    model: {id: Qwen/Qwen2.5-72B}
    instance: {type: ml.g5.48xlarge, parallelism: fsdp}
    hyperparameters: {bnb_4bit_quant_storage: bfloat16}

Instead:

    model: {id: Qwen/Qwen2.5-72B}
    instance: {type: ml.p4de.24xlarge, parallelism: fsdp}
    hyperparameters: {bnb_4bit_quant_storage: bfloat16}

References:

    https://github.com/philschmid/llm-sagemaker-sample/issues/25
    https://github.com/huggingface/accelerate/blob/v1.15.0/src/accelerate/utils/fsdp_utils.py
    https://huggingface.co/docs/peft/accelerate/fsdp
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Confidence, Finding, Severity, known
from hbspec.estimators.training.devices import DeviceMemory
from hbspec.estimators.training.memory import memory_while_loading
from hbspec.estimators.verdict import Verdict
from hbspec.rules.action import action
from hbspec.rules.fitting import Predicate, change_that_fits
from hbspec.rules.rule import Rule
from hbspec.units import bytes_text, gib_text

RULE = Rule(__name__, Severity.ERROR, Confidence.LIKELY)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Compare the memory of loading with what a GPU has, where FSDP shards weights that are all there."""
    plan = analysis.plan
    if plan.fsdp is None or plan.fsdp.loads_whole is False:
        return
    gpu = plan.require("hardware").gpu
    usable = known(gpu.usable_bytes, f"the usable memory of the {gpu.name}")
    loading = memory_while_loading(plan)
    if loading.verdict is Verdict.FITS:
        return
    version, needed = dict(plan.training.software)["transformers"], bytes_text(loading.process.high)
    quantised = plan.training.quantization
    kind, where = (f"{quantised} weights", f"with transformers {version} that") if quantised else ("weights", "that")
    yield RULE.at(
        ("instance", "type" if analysis.spec.instance.type else "gpu"),
        f"FSDP shards {kind} only after every GPU has loaded all of them: {where} "
        f"{'needs' if loading.expected_to_fail else 'may need'} {needed}, but "
        f"{bytes_text(usable)} ({gib_text(usable)}) of the {gpu.name} is usable",
        _roomier(loading),
        severity=Severity.ERROR if loading.expected_to_fail else Severity.WARNING,
    )


def advise(analysis: Analysis, acceptable: Predicate) -> str:
    """A change that makes the job fit, loading included; where none of those tried does, the memory that it needs."""
    fsdp, quantised = analysis.plan.fsdp, analysis.plan.training.quantization
    if fsdp and (fsdp.loads_whole is None or not quantised):
        return "enable RAM-efficient loading in your script (cpu_ram_efficient_loading in fsdp_config)"
    change = change_that_fits(analysis, acceptable)
    return action(change) if change else _roomier(analysis.memory.fullest)


def _roomier(device: DeviceMemory) -> str:
    return f"use GPUs with more than {bytes_text(device.process.high)} of usable memory"
