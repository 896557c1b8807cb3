"""Every number about the speed of serving that is fitted to measurements or assumed, with where it comes from.

What is in `SERVING` is what `benchmarks/accuracy.py --fit` prints: the least weighted error of the
logarithm over the runs in `benchmarks/measured/fitted_serving.json`, each source weighing the same, each number held
near the one that was assumed before, so that what nobody measured stays as assumed. The runs are those of:

- Qwen: QwenLM/Qwen README and QwenLM/Qwen3 docs, speed benchmark of Qwen2.5 (A100-80GB; transformers and vLLM 0.6.3).
- optimum-benchmark: huggingface/optimum-benchmark examples/running-llamas, -mistrals, -vicunas (A100-80GB).
- bitsandbytes: bitsandbytes-foundation/bitsandbytes benchmarking/README.md (T4, RTX 4090, H100).
- LLM-Inference-Bench: argonne-lcf/LLM-Inference-Bench (A100, H100; vLLM and TensorRT-LLM, tensor-parallel).
- NIM: docs.nvidia.com/nim/benchmarking/llm, performance (H100, fp8).
- llama.cpp: XiongjieDai/GPU-Benchmarks-on-LLM-Inference (twelve GPUs, layers split over up to eight).
- AutoAWQ: casper-hansen/AutoAWQ README (RTX 4090). LitGPT: Lightning-AI/litgpt resource tables (A100-40GB).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hbspec.units import GB, Interval

EAGER = ("transformers", "litgpt")
"""Engines that launch the kernels of each layer from Python, one by one, in every step; the others replay a graph."""


class ServingConstants(NamedTuple):
    """What a step of decoding takes beyond the data sheet. Mappings that lack a key say 1.0, or nothing added.

    Attributes:
        layer: seconds of the host to launch one layer's kernels, of an eager engine with 16-bit weights.
        launches: factor on that by quantisation, whose kernels are more.
        host: factor on that by the kind of machine that a GPU is built into (`decoding.host_of`).
        eager_bandwidth: share of the memory bandwidth at which eager engines stream weights.
        old_cache, old_cache_group: how often such an engine moves the cache in a step: it is copied to grow, and
            repeated for every group of query heads; the second is a factor on query heads for each key-value head.
        unpacked: how often quantised weights cross the bus as 16-bit numbers, by quantisation, where several requests
            are answered at once by kernels that unpack first and multiply then.
        step: seconds of the host a step, of an engine with graphs: scheduling, sampling, detokenising.
        steps: factor on that by engine.
        request: seconds of the same for each request of the batch.
        graph_layer: seconds that each layer takes in gaps between kernels.
        quantised_layer: the same in addition for layers with quantised weights.
        bandwidth: share of the memory bandwidth at which engines with graphs stream weights and cache.
        reduction: seconds of one sum over the GPUs that share a layer; there are two a layer.
        compute: share of the peak that a step's products reach.
        prefill: share of the peak that reading a prompt reaches.
        error: factor on all that was computed, by "eager" or "graph".
    """

    layer: float
    launches: Mapping[str, float]
    host: Mapping[str, float]
    eager_bandwidth: float
    old_cache: float
    old_cache_group: float
    unpacked: Mapping[str, float]
    step: float
    steps: Mapping[str, float]
    request: float
    graph_layer: float
    quantised_layer: float
    bandwidth: float
    reduction: float
    compute: float
    prefill: float
    error: Mapping[str, Interval]


SERVING = ServingConstants(
    layer=0.0008,
    launches={"gptq": 1.06, "gptq8": 1.03, "awq": 1.34, "nf4": 1.95, "int8": 3.58},
    host={"desktop": 0.485, "old": 1.4},
    eager_bandwidth=0.75,
    old_cache=3.0,
    old_cache_group=4.69,
    unpacked={"nf4": 4.5, "gptq": 2.0, "gptq8": 2.0, "awq": 2.0},
    step=0.00279,
    steps={"tensorrt-llm": 0.367, "llama.cpp": 0.454, "autoawq": 0.445, "fused": 0.8},
    request=4.65e-05,
    graph_layer=1e-05,
    quantised_layer=1.94e-05,
    bandwidth=0.791,
    reduction=2e-05,
    compute=0.5,
    prefill=0.45,
    error={"eager": Interval(0.59, 1.0, 1.55), "graph": Interval(0.68, 1.0, 1.41)},
)

MOST_STREAMED = {"llama.cpp": 1.1e12}
"""Bytes a second that an engine's kernels stream at most, whatever the memory could: llama.cpp's products of a matrix
with one vector reach about 1 TB/s on an A100 and an H100 as on an RTX 4090."""

SLOW_KERNELS = {"nf4": 0.6, "int8": 0.5}
"""Share of the bandwidth that bitsandbytes' kernels reach of what others do, in an engine with graphs. Assumed: nobody
published it. bitsandbytes' README has NF4 on an RTX 4090 at 42 % of the bandwidth or more, launches included."""

SLOW_KERNELS_ERROR = Interval(0.5, 1.0, 2.0)
"""Factor on the time of those; assumed."""

OVERLAP = 3.0
"""How launches and the GPU's work overlap in an eager engine: their powers add up. Infinity were the longer of both."""

CONTEXT_BYTES = Interval(0.3 * GB, 0.7 * GB, 1.6 * GB)
"""The driver's context, libraries, communicators and CUDA graphs of an engine beside what is counted. Assumed: vLLM
logs 0.1 to 0.9 GB for its graphs, and a context takes 0.3 to 0.6 GB."""

BATCHED_TOKENS = 2048
"""Tokens that vLLM computes at once, for which it reserves activations (`--max-num-batched-tokens`, docs.vllm.ai,
Optimization and Tuning, Chunked Prefill)."""
