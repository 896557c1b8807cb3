"""All constants of the speed of serving that are fitted to measurements or assumed, with their sources.

The values in `SERVING` are printed by `benchmarks/accuracy.py --fit serving`: they minimise the weighted error of the
logarithm over the runs in `benchmarks/measured/fitted_serving.json`, with the same weight for each source, and are
regularised towards the earlier assumptions, so that values without measurements stay as assumed. The runs are:

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

from hbspec.units import GB, GIB, Interval

EAGER = ("transformers", "litgpt")
"""Engines that launch the kernels of each layer from Python in every step; the others replay a CUDA graph."""


class ServedConstants(NamedTuple):
    """The speed of vLLM since its engine V1 (0.8), which both engines of a spec are; all else is in `ServingConstants`.

    Attributes:
        step: host seconds per step: most of scheduling and sampling overlaps with the GPU's work.
        request: additional host seconds per request in the batch.
        adapted_layer: additional seconds per layer where adapters are served separately from the weights.
        sparse_layer: additional seconds per layer with experts: what sorts tokens by them and starts their products, by
            kind of memory.
        streaming: share of the memory bandwidth at which weights and cache are streamed, by kind of memory.
        prefilling: share of the peak that prefill reaches, by kind of memory: GPUs with GDDR have less compute for it.
        floor: seconds of a request's own: HTTP, tokenizer, scheduler, the way back.
        waiting: steps of others that a request waits for, in an endpoint that is always busy: half of the one that
            runs, and half of the next, scheduled before that one ends (docs.vllm.ai, `--async-scheduling`). Assumed.
        queueing: share of the others whose prompts are read first, since they arrived at the same time. Assumed: fits
            without one source or the other give 0.03 to 0.2.
        error: factor on the computed time, by "step" or "first".
    """

    step: float
    request: float
    adapted_layer: float
    sparse_layer: Mapping[str, float]
    streaming: Mapping[str, float]
    prefilling: Mapping[str, float]
    floor: float
    waiting: float
    queueing: float
    error: Mapping[str, Interval]


SERVED = ServedConstants(
    step=0.000859,
    request=4.83e-05,
    adapted_layer=95e-6,
    sparse_layer={"hbm": 33e-6, "hbm_blackwell": 22e-6, "gddr": 35e-6, "gddr_ecc": 35e-6},
    streaming={"hbm": 0.811, "hbm_blackwell": 0.73, "gddr": 0.982, "gddr_ecc": 0.84},
    prefilling={"hbm": 0.5, "gddr": 0.84},
    floor=0.0072,
    waiting=1.0,
    queueing=0.05,
    error={"step": Interval(0.75, 1.0, 1.35), "first": Interval(0.65, 1.0, 1.6)},
)
"""Printed by `benchmarks/serving.py --fit`, which fits them to the sweeps in `benchmarks/measured/sweeps.csv`, each
row with its source, sources weighing the same. What is streamed from GDDR with error correction and from Blackwell's
HBM is not fitted: the median product of one row by weights of 60 MB and more reaches 0.85 of the data sheet's on L40S
and 0.82 on RTX PRO 6000, and 0.71 to 0.73 on B200, B300 and GB200, where H100 and H200 have 0.84 and 0.78 (139
products each; aiconfigurator-core 0.12.0 on PyPI, Apache-2.0, systems/data/*/gemm/vllm). `request` is that of older
releases. `adapted_layer` is that of the one source found: of Qwen3-30B-A3B's 48 layers on a B200, with an adapter of
attention of rank 16, a step takes 4.4 to 4.7 ms more for 8, 32 and 48 requests (vLLM 0.19.2,
github.com/unslothai/unsloth, pull request 5123). `sparse_layer` is what vLLM's fused experts take for one and for
eight tokens beyond the bytes of those visited, in the median of hundreds of shapes: 33 to 38 microseconds on H100 and
H200, 21 to 23 on B200, B300 and GB200, 19 to 50 on L40S and RTX PRO 6000 (release 0.24; the same package,
systems/data/*/moe/vllm). `waiting`, `queueing` and the share of the peak with HBM are assumed, and the ends of the
errors were chosen with all rows in view. Left out: eager engines, speculative decoding, cached prompts."""


class ServingConstants(NamedTuple):
    """The time of a decoding step beyond the data sheet. A missing key means a factor of 1.0, or 0 added.

    Attributes:
        layer: host seconds to launch the kernels of one layer, in an eager engine with 16-bit weights.
        launches: factor on `layer` by quantisation, whose kernels are more numerous.
        host: factor on `layer` by the kind of machine that the GPU is usually built into (`machines.host_of`).
        eager_bandwidth: share of the memory bandwidth at which eager engines stream weights.
        old_cache, old_cache_group: number of times that an eager engine moves the KV cache per step: the cache is
            copied to grow, and repeated for every group of query heads; the second is a factor on query heads per
            key-value head.
        unpacked: number of times that quantised weights cross the memory bus as 16-bit numbers, by quantisation, where
            kernels that first unpack and then multiply answer several requests at once.
        step: host seconds per step of an engine with CUDA graphs: scheduling, sampling, detokenising.
        steps: factor on `step` by engine.
        request: additional host seconds per request in the batch.
        graph_layer: seconds per layer in gaps between kernels.
        quantised_layer: additional seconds per layer with quantised weights.
        bandwidth: share of the memory bandwidth at which engines with CUDA graphs stream weights and cache.
        reduction: seconds of one sum over the GPUs that share a layer; there are two per layer.
        compute: share of the peak that a step's products reach.
        prefill: share of the peak that prefill reaches.
        error: factor on the computed time, by "eager" or "graph".
        served: the speed of vLLM since its engine V1.
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
    served: ServedConstants = SERVED


SERVING = ServingConstants(
    layer=0.0008,
    launches={"gptq": 1.06, "gptq8": 1.03, "awq": 1.34, "nf4": 1.88, "int8": 3.58},
    host={"desktop": 0.485, "old": 1.4},
    eager_bandwidth=0.75,
    old_cache=3.0,
    old_cache_group=4.69,
    unpacked={"nf4": 4.5, "gptq": 2.0, "gptq8": 2.0, "awq": 2.0},
    step=0.00279,
    steps={"tensorrt-llm": 0.367, "llama.cpp": 0.454, "autoawq": 0.445, "fused": 0.8},
    request=4.83e-05,
    graph_layer=1e-05,
    quantised_layer=1.94e-05,
    bandwidth=0.791,
    reduction=2e-05,
    compute=0.5,
    prefill=0.45,
    error={"eager": Interval(0.61, 1.0, 1.55), "graph": Interval(0.68, 1.0, 1.43)},
)

MOST_STREAMED = {"llama.cpp": 1.1e12}
"""The largest rate at which an engine's kernels stream, in bytes per second, regardless of the memory bandwidth:
llama.cpp's matrix-vector products reach about 1 TB/s on an A100 and an H100, as on an RTX 4090."""

FP8_REACHED = {"hbm": 0.65, "gddr": 0.8}
"""What products in fp8 reach of their peak, over what products in 16 bits reach of theirs, by kind of memory. Of
weights as large as a layer's and 2,048 or 8,192 rows, vLLM 0.24's take 0.57 (B200, B300, GB200), 0.67 (H100) and 0.75
(H200), and 0.8 (L40S) and 0.88 (RTX PRO 6000), median of 116 products each (aiconfigurator-core 0.12.0 on PyPI,
Apache-2.0, systems/data/*/gemm/vllm). Products of few rows take 3 to 9 microseconds more than their bytes do, which
for the four of a layer is `quantised_layer`."""

SLOW_KERNELS = {"nf4": 0.6, "int8": 0.5}
"""Bandwidth of bitsandbytes' kernels as a share of that of other kernels, in an engine with CUDA graphs. Assumed: no
measurement is published. bitsandbytes' README has NF4 on an RTX 4090 at 42 % of the bandwidth or more, including
launches."""

SLOW_KERNELS_ERROR = Interval(0.5, 1.0, 2.0)
"""Factor on the time of steps with `SLOW_KERNELS`; assumed."""

OVERLAP = 3.0
"""Exponent of the overlap of launches and the GPU's work in an eager engine: their powers add up. At infinity, the step
takes the longer of both."""

CONTEXT_BYTES = Interval(0.3 * GB, 0.7 * GB, 1.6 * GB)
"""The CUDA context and libraries of an engine, per GPU, and CUDA graphs beside its share. Assumed: vLLM logs 0.1 to 0.9
GB for its graphs, and a context takes 0.3 to 0.6 GB."""


class EngineConstants(NamedTuple):
    """What vLLM measures at its start beyond the weights and a forward pass, in bytes per GPU.

    Attributes:
        sampled_sorting: for each logit of each request, where the sampler sorts all logits.
        sampled: the same of the samplers that do not.
        outside: what PyTorch does not allocate, on one GPU; since release 0.19.
        outside_older: the same of older releases.
        outside_joined: the same where GPUs share a model: NCCL's buffers, and the engine's own for sums.
        outside_cards: the same of cards that no NVLink joins, in releases before 0.19.
        static: what SGLang's share of one GPU holds beside weights and cache: its part of the context, and what loading
            leaves.
        static_joined: the same where GPUs share a model.
        graph_layer: each layer's kernels in each CUDA graph.
        graphs: what CUDA graphs take beside, however few are captured.
        graphs_captured: what all graphs, for up to 512 tokens, take more.
    """

    sampled_sorting: Interval
    sampled: Interval
    outside: Interval
    outside_older: Interval
    outside_joined: Interval
    outside_cards: Interval
    static: Interval
    static_joined: Interval
    graph_layer: Interval
    graphs: Interval
    graphs_captured: Interval


ENGINE = EngineConstants(
    sampled_sorting=Interval(36.0, 38.0, 42.0),
    sampled=Interval(6.5, 14.7, 38.7),
    outside=Interval(0.05 * GIB, 0.26 * GIB, 0.6 * GIB),
    outside_older=Interval(0.02 * GIB, 0.09 * GIB, 0.3 * GIB),
    outside_joined=Interval(0.2 * GIB, 1.7 * GIB, 2.6 * GIB),
    outside_cards=Interval(0.05 * GIB, 0.21 * GIB, 0.6 * GIB),
    static=Interval(0.3 * GIB, 0.57 * GIB, 1.2 * GIB),
    static_joined=Interval(0.4 * GIB, 0.62 * GIB, 2.6 * GIB),
    graph_layer=Interval(3.0e-4 * GIB, 4.4e-4 * GIB, 5.6e-4 * GIB),
    graphs=Interval(0.0, 0.0, 0.35 * GIB),
    graphs_captured=Interval(0.0, 0.0, 0.65 * GIB),
)
"""Read from start-up logs of vLLM (`benchmarks/measured/cache_lines.csv` names each): `benchmarks/serving.py --fit`
fits what the sampler holds, and takes the median log, sources weighing the same, of what one GPU holds outside of
PyTorch; the ends were chosen with all in view. Logits with a sort: 1.40 GiB of Qwen2.5's 256 x 151,936 and 1.19 of
Llama-3's 256 x 128,256; without one, of 1,024 requests with release 0.19, 1.83 GiB of Llama-3's and 3.59 of Gemma-2's
256,000, and 1.38 of Llama-3's with 0.30. Outside of PyTorch: 0.07 to 0.56 GiB since release 0.19 and 0.03 to 0.14
before, of which no rule was found (the first that logged it counted the context too), and where cards that no NVLink
joins share a model 0.09 to 0.25 before release 0.19 (eight L40S, two RTX 4090, others outside of the table), where
others do 0.54 and 2.07 (two H100, releases 0.11 and 0.19), 0.74 (two A100), 1.38 (two H200), 1.63 (four B300), 1.7
(four RTX PRO 6000) and 2.21 (four H100). Graphs: 0.08 GiB of 28 layers and 16 requests, 0.53 of 28 and 256, 0.52 to
1.92 of 24 to 80 layers and 1,024; one log in six has 0.5 to 0.9 GiB more than its layers. SGLang (0.4 to 0.5.6): 0.43
to 0.92 GiB of one GPU, 0.53 (four L4), 0.62 (four RTX 4090) and 2.04 (four H100). The high ends are wider than the
logs. Left out: models with an encoder, and state-space layers, whose graphs took up to 5 GiB."""
