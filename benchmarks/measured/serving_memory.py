"""The memory of a serving row: which figure the source printed, and what the estimate of that figure is."""

from __future__ import annotations

import re
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.diagnostics import known
from hbspec.estimators.serving.memory import cache_bytes, cache_element, served_weights
from hbspec.estimators.step.uncounted import LITGPT
from hbspec.plan import ServingPlan
from hbspec.units import GB, Interval
from measured.reason import NotExpressibleError
from measured.row import Row
from measured.serving_rows import Run

PROCESS_CONTEXT = Interval(0.3 * GB, 0.9 * GB, 2.0 * GB)
"""What a process has beside what PyTorch allocated: the driver's context, libraries, blocks that are kept."""

BEFORE_DYNAMIC_CACHE = r"llama-?(2|7b|13b|30b|65b)|vicuna|mistral-7b|mixtral|qwen-\d|falcon|mpt-"
"""Models whose figures are older than transformers 4.36 (December 2023), which has a cache that grows layer by layer:
before, each step built a whole new one beside the old. 4.45 was the first that computed no logits of the prompt."""

ALLOCATOR = Interval(-0.05, 0.01, 0.09)
"""Share of everything that rounding, scratch of kernels and buffers of quantised modules add. Below zero: figures that
sources print in GB and mean GiB, or the other way round. Chosen with every row in view: the error of what is expected
says something about other sources, the share inside does not. With quantiles (5 % and 95 %) of all other sources'
residuals in its place 86 % of the measurements are inside."""


class Stated(NamedTuple):
    """What a row says about memory: bytes of a GPU, or of all where that is more than a GPU has."""

    value: float
    process: bool

    def estimate(self, run: Run, plan: ServingPlan) -> Interval:
        """The same figure, estimated: the larger of the moment when prompts are read and of the last token.

        Raises:
            NotExpressibleError: an engine that takes a share of the GPU whatever it needs, or layers of its own.
        """
        if run.engine in ("vllm", "vllm-v0", "tensorrt-llm", "sglang", "lmdeploy", "tgi"):
            raise NotExpressibleError("memory of an engine that takes a share of the GPU whatever it needs")
        architecture = known(plan.architecture, "the architecture")
        if run.engine == "litgpt" and architecture.model_type not in LITGPT:
            raise NotExpressibleError("LitGPT's own layers of this family")
        old = run.engine == "transformers" and bool(re.search(BEFORE_DYNAMIC_CACHE, run.model, re.IGNORECASE))
        element, tokens = cache_element(plan), run.prompt * run.requests
        kept = served_weights(plan)
        logits = tokens if old else run.requests
        usable = known(plan.hardware, "the GPU").gpu.usable_bytes or 0
        whole = run.gpus > 1 and self.value > usable
        parts = 1 if whole else run.gpus
        reading = activation_bytes(architecture, tokens, logits) + run.requests * (
            cache_bytes(architecture, run.prompt, element) / parts
        )
        one = run.requests * cache_bytes(architecture, run.prompt + run.answer, element)
        last = one * (2 if old else 1) / parts
        expected = (kept / parts + max(reading, last)) * (1 + ALLOCATOR.expected)
        low = (kept / parts + min(max(reading, last), one / parts)) * (1 + ALLOCATOR.low)
        high = (kept / parts + max(reading, 2 * last)) * (1 + ALLOCATOR.high)
        found = Interval(min(low, expected), expected, max(high, expected))
        return found + PROCESS_CONTEXT if self.process else found


def activation_bytes(architecture: Architecture, tokens: float, logits: float) -> float:
    """Peak bytes of activations of transformers in 16 bits: three vectors of the MLP's width and of the model's.

    A sparse layer has the width of all experts that a token visits. Logits of `logits` tokens are in fp32. Qwen2.5 with
    6,144 to 30,720 tokens: within 3 % of all allocated memory.
    """
    wide = architecture.intermediate_size
    if architecture.is_sparse:
        visited = architecture.num_experts_per_tok * architecture.moe_intermediate_size
        wide = max(wide, visited + architecture.shared_expert_intermediate_size)
    return 6 * tokens * (wide + architecture.hidden_size) + 4 * logits * architecture.vocab_size


def memory_of(row: Row) -> Stated | None:
    """The row's figure: allocated, of the process, or unnamed, which counts as allocated unless nvml printed it."""
    allocated = row.measured("peak_allocated")
    if allocated:
        return Stated(allocated, process=False)
    process = row.measured("process")
    if process:
        return Stated(process, process=True)
    unnamed = row.number("peak_bytes_unknown_metric")
    if unnamed and not row.out_of_memory:
        return Stated(unnamed, process=bool(re.search(r"nvml|nvidia-smi", row["notes"], re.IGNORECASE)))
    return None
