"""`tensor_parallel` is above 1, but the job starts one process.

Why: Each GPU that shares a layer runs its own process. `single` and `pipeline` start one, so the layers are not split,
and the memory that the split should have saved is still needed.

Example:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.g5.2xlarge, parallelism: single, tensor_parallel: 2}

Instead:

    model: {id: Qwen/Qwen2.5-7B}
    instance: {type: ml.g5.2xlarge, parallelism: single}

References:

    https://huggingface.co/docs/transformers/perf_infer_gpu_multi
    https://docs.pytorch.org/docs/stable/distributed.tensor.parallel.html
"""

from __future__ import annotations

from collections.abc import Iterator

from hbspec.analysis import Analysis
from hbspec.diagnostics import Finding, Severity
from hbspec.plan.parallelism import ADVISED, PARALLELISMS
from hbspec.rules.rule import Rule

RULE = Rule(__name__, Severity.ERROR)


def check(analysis: Analysis) -> Iterator[Finding]:
    """Find `tensor_parallel` above one with a parallelism that starts one process."""
    instance = analysis.spec.instance
    if not PARALLELISMS[instance.parallelism].distributed and (instance.tensor_parallel or 1) > 1:
        yield RULE.at(
            ("instance", "tensor_parallel"),
            f"tensor_parallel {instance.tensor_parallel} needs {instance.tensor_parallel} processes, "
            f"but parallelism: {instance.parallelism} starts 1",
            f"delete tensor_parallel, or use parallelism: {' or '.join(ADVISED)}",
            instead=(None,),
        )
