"""`bf16` is enabled on a GPU that does not support bfloat16.

Why: Tensor cores support bfloat16 from compute capability 8.0 (Ampere). On a T4 or V100 the trainer rejects the flag,
or PyTorch emulates the format many times slower: the job fails, or reaches its time limit after it was paid for.

Example:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.g4dn.12xlarge}
    hyperparameters: {bf16: true}

Instead:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.g4dn.12xlarge}
    hyperparameters: {fp16: true}

References:

    https://github.com/tatsu-lab/stanford_alpaca/issues/133
    https://github.com/lm-sys/FastChat/issues/399
    https://github.com/databrickslabs/dolly/issues/11
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Fix, Severity, known
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)
ROUTE = ("hyperparameters", "bf16")


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `bf16: true` where the catalog says that the GPU does not support it."""
    if not analysis.spec.hyperparameters.bf16:
        return
    gpu = analysis.plan.require("hardware").gpu
    if not known(gpu.bf16, f"whether {gpu.name} supports bfloat16"):
        yield RULE.at(
            ROUTE,
            f"bf16 is true, but {gpu.name}{_capability(gpu.compute_capability)} does not support bfloat16",
            "use fp16: true instead",
            fixes=(Fix("delete bf16, so that float16 is chosen", ROUTE),),
        )


def _capability(capability: tuple[int, int] | None) -> str:
    return f" (compute capability {capability[0]}.{capability[1]}, 8.0 needed)" if capability else ""
