"""A fact that the checks depend on is missing.

Why: An unknown fact is never taken for zero. The results that depend on it are left out, and this note says so, because
silence would look like approval.

Example:

    instance: {type: null, gpu: RTX PRO 4500, gpus: 8, host_memory: 1 TiB}

Instead:

    instance: {type: null, gpu: A100-40, gpus: 8, host_memory: 1 TiB}

References:

    https://developer.nvidia.com/cuda-gpus
    https://pytorch.org/docs/stable/generated/torch.cuda.get_device_properties.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Route, Severity
from hbspec.plan import Hardware
from hbspec.plan.serving import with_each_instance
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.NOTE)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Notes for GPU facts that the catalog lacks, and for a missing number of examples."""
    spec, plan = analysis.spec, analysis.plan
    if plan.hardware is not None:
        yield from _gpu(("instance", "type" if spec.instance.type else "gpu"), plan.hardware)
    if spec.deployment is not None:
        for route, hardware, _ in with_each_instance(analysis.serving_plan, analysis.catalog, spec):
            yield from _gpu(route, hardware)
    claimed = any(key.startswith("training.") for key in spec.expect)  # such a claim says it at its own line
    if plan.unknown.get("counts") == "data.train.examples" and not claimed:
        yield RULE.at(
            ("data", "train"),
            "the number of training examples is not known, so epochs, time and cost are not computed",
            "set data.train.examples or data.profile",
        )


def _gpu(route: Route, hardware: Hardware) -> Iterator[Finding]:
    gpu = hardware.gpu
    facts = {
        "usable memory": gpu.usable_bytes,
        "memory bandwidth": gpu.bandwidth,
        "speed": gpu.bf16_flops or gpu.fp16_flops,
    }
    missing = [name for name, value in facts.items() if value is None]
    if missing:
        yield RULE.at(
            route,
            f"the catalog lacks facts of the {gpu.name} in {hardware.name} ({', '.join(missing)}): "
            "checks that depend on them are skipped",
            "use a GPU that the catalog describes in full, or measure this one",
        )
