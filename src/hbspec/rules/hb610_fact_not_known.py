"""Something that the judgement depends on is not known.

Why: an unknown fact is never taken for zero: what follows from it is left out, and this note says so, since silence
would look like approval.

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
    """Facts of GPUs that the catalog lacks, and the number of examples; what does not exist has its own rules."""
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
            "the number of training examples is not known: neither epochs nor time nor cost is computed",
            "add data.train.examples, or data.profile",
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
            f"the {' and the '.join(missing)} of the {gpu.name} in {hardware.name} is not known: "
            "what follows from it is not judged",
            "measure it, or choose a GPU that is known",
        )
