"""What vLLM measures before it lays out its KV cache, which gets the rest of the GPU's share.

    cache = utilisation x memory - weights - adapters - activations - what PyTorch does not allocate - CUDA graphs

vLLM runs the model once on `max_num_batched_tokens` tokens and samples once for `max_num_seqs` requests; the larger of
both is the activations' peak, since the pass is over when logits are made (vllm/v1/worker/gpu_worker.py,
`determine_available_memory`; gpu_model_runner.py, `profile_run`; https://docs.vllm.ai/en/latest/api/vllm/v1/worker/).
The context of CUDA lies outside of the share. Left out: what an encoder of images takes while it is profiled, and
releases 0.8, which counted the context too.
"""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog import Architecture, Gpu
from hbspec.estimators.serving.constants import ENGINE, EngineConstants
from hbspec.plan import ServingPlan
from hbspec.units import GIB, Interval

BATCHED_TOKENS = 2048
"""Tokens that the compiled endpoint's engine computes at once (`--max-num-batched-tokens`, docs.vllm.ai, Optimization
and Tuning, Chunked Prefill)."""

RELEASES = {"vllm": (0, 30), "djl-lmi": (0, 23)}
"""vLLM's release in AWS's newest image of it, and in LMI's (DJL 0.36, github.com/deepjavalibrary/djl-serving)."""

FLASHINFER = (0, 16)
"""From this release on, logs show a sampler without a sort of all logits (Llama-3.1-8B on an A100: 1.27 GiB beside the
weights with 0.15.1, 0.63 with the release of May 2026)."""
FLASHINFER_CAPABILITY = (8, 0)
"""Older GPUs sample as before: "FlashInfer top-p/top-k sampling unavailable: unsupported compute capability 7.5"."""

GRAPHS_COUNTED = (0, 21)
"""The release that counts the memory of CUDA graphs against the share: "CUDA graph memory profiling is enabled (default
since v0.21.0)". They lay beside it before."""
GRAPHS_APART = (0, 26)
"""From this release on a second model runner serves most models; the logs of it count no graphs."""

UNMEASURED = 4.0
"""Times what the MLP holds that a pass of layers with latent attention or with states takes at most. Assumed."""
GRAPHS_OF_STATES = 5 * GIB
"""What graphs of layers with states took at most in a log, beside the share or within it."""


class EngineSettings(NamedTuple):
    """What decides how much an engine measures.

    Attributes:
        batched_tokens: `max_num_batched_tokens`; vLLM before chunked prefill: the longest request.
        max_num_seqs: requests that are sampled at once.
        release: vLLM's, as numbers.
        eager: whether no CUDA graphs are captured (`--enforce-eager`).
    """

    batched_tokens: int
    max_num_seqs: int
    release: tuple[int, ...]
    eager: bool = False


def batched_tokens(plan: ServingPlan) -> int:
    """Tokens that the engine computes at once; vLLM refuses fewer than requests (`SchedulerConfig`)."""
    return max(BATCHED_TOKENS, plan.concurrency)


def settings_of(plan: ServingPlan) -> EngineSettings:
    """What the compiled endpoint tells its engine."""
    return EngineSettings(batched_tokens(plan), plan.concurrency, RELEASES.get(plan.engine, RELEASES["vllm"]))


def forward_bytes(architecture: Architecture, tokens: float, parts: int = 1) -> float:
    """Peak bytes of a forward pass in 16 bits on each of `parts` GPUs that share every layer.

    A dense MLP holds three vectors of its own width (gate and up in one, their product), of which a GPU has its part,
    beside three of the model's width (residual, norm, result). A sparse layer holds, for each expert that a token
    visits, the larger of its two inner widths and the model's width, and its product (vllm, fused_moe.py: caches 1 and
    3 share memory). Logs: Llama-3.1-8B, 20,000 tokens, 2.07 GiB, here 2.06; Qwen2.5-0.5B, 32,768 tokens, 1.06, here
    1.05; Qwen3-235B on four GPUs, 8,192 tokens, 0.76, here 0.73.
    """
    hidden = architecture.hidden_size
    if not architecture.is_sparse:
        return 2 * tokens * (3 * architecture.intermediate_size / parts + 3 * hidden)
    inner, visited = architecture.moe_intermediate_size / parts, architecture.num_experts_per_tok
    sparse = visited * (max(2 * inner, hidden) + inner) + 3 * architecture.shared_expert_intermediate_size / parts
    return 2 * tokens * (sparse + 3 * hidden)


def activations(
    architecture: Architecture,
    gpu: Gpu | None,
    settings: EngineSettings,
    parts: int,
    constants: EngineConstants = ENGINE,
) -> Interval:
    """Peak bytes of activations per GPU: of the forward pass, or of sampling beside the pass's hidden states."""
    forward = forward_bytes(architecture, settings.batched_tokens, parts)
    hidden = 2 * settings.batched_tokens * architecture.hidden_size
    logits = min(settings.max_num_seqs, settings.batched_tokens) * architecture.vocab_size
    each = constants.sampled_sorting if _sorts(gpu, settings) else constants.sampled
    low, expected, high = (max(forward, hidden + logits * size) for size in (each.low, each.expected, each.high))
    return Interval(low, expected, max(high, _unmeasured(architecture, forward, settings))).map(round)


def _unmeasured(architecture: Architecture, forward: float, settings: EngineSettings) -> float:
    """The high end of layers that no log of three sources tells: other mixers of tokens, and graphs of their states."""
    if architecture.serves:
        return forward
    return UNMEASURED * forward + (0 if architecture.stateless or settings.eager else GRAPHS_OF_STATES)


def _sorts(gpu: Gpu | None, settings: EngineSettings) -> bool:
    """Whether the engine samples by a sort of all logits."""
    old = gpu is not None and gpu.compute_capability is not None and gpu.compute_capability < FLASHINFER_CAPABILITY
    return old or settings.release < FLASHINFER


def engine_bytes(settings: EngineSettings, parts: int, constants: EngineConstants = ENGINE) -> Interval:
    """Bytes per GPU that PyTorch does not allocate, communicators among them, and CUDA graphs where they count."""
    outside = constants.outside if parts == 1 else constants.outside_joined
    return (outside + _graphs(settings, constants)).map(round)


def _graphs(settings: EngineSettings, constants: EngineConstants) -> Interval:
    """Graphs are captured for up to twice the requests, at most 512 (vllm/config/vllm.py)."""
    if settings.eager or settings.release < GRAPHS_COUNTED:
        return Interval.exact(0.0)
    found = constants.graphs + constants.graphs_captured * (min(2 * settings.max_num_seqs, 512) / 512)
    return found if settings.release < GRAPHS_APART else Interval(0.0, 0.0, found.high)
