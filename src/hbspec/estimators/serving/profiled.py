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
"""vLLM's release in AWS's newest image of it, and in the newest LMI, by `serving/docker/lmi.Dockerfile` of
github.com/deepjavalibrary/djl-serving (`catalog/data/engines` has the commit)."""

FLASHINFER = (0, 17)
"""From this release on, logs show a sampler without a sort of all logits (Qwen3-14B on an H100: 5.64 GiB with 0.15.0
and 0.16.0, 2.23 with 0.17.0 and 0.18.0; github.com/llm-d-incubation/llm-d-planner, pull request 205)."""
FLASHINFER_CAPABILITY = (8, 0)
"""Older GPUs sample as before: "FlashInfer top-p/top-k sampling unavailable: unsupported compute capability 7.5"."""

GRAPHS_COUNTED = (0, 21)
"""The release that counts the memory of CUDA graphs against the share: "CUDA graph memory profiling is enabled (default
since v0.21.0)". They lay beside it before."""
MOST_CAPTURED, MOST_GRAPHS = 512, 51
"""The most tokens of a CUDA graph, and the number of graphs up to it: of 1, 2 and 4 tokens, of every 8 to 256, and of
every 16 beyond."""
GRAPHS_APART = (0, 26)
"""From this release on a second model runner serves most models; the logs of it count no graphs."""

MORE_OUTSIDE = (0, 19)
"""The first release whose logs show more outside of PyTorch on one GPU; none of 0.12 to 0.18 says."""

WORKSPACES = (0, 19)
"""The first release whose logs show the workspaces of sparse layers beside the logits: the engine keeps them between
layers and steps (vllm/v1/worker/workspace.py)."""

COMPILED = 1.3
"""Vectors of the model's width that a compiled pass holds beside those counted, at most: with 0.19, 4.2 to 4.3 of them
are held beside a dense MLP's (CodeLlama-7B, Granite-3.1-8B), with 0.26 three."""

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
    quantization: str = "none",
) -> Interval:
    """Peak bytes of activations per GPU: of the forward pass, or of sampling beside what the pass leaves.

    It leaves hidden states, and of sparse layers in 16 bits the workspaces (see `workspace_bytes`).
    """
    forward = forward_bytes(architecture, settings.batched_tokens, parts)
    left: float = 2 * settings.batched_tokens * architecture.hidden_size
    if quantization == "none" and settings.release >= WORKSPACES:
        left += workspace_bytes(architecture, settings.batched_tokens, parts)
    logits = min(settings.max_num_seqs, settings.batched_tokens) * architecture.vocab_size
    each = constants.sampled_sorting if _sorts(gpu, settings) else constants.sampled
    low, expected, high = (max(forward, left + logits * size) for size in (each.low, each.expected, each.high))
    widest = forward + 2 * settings.batched_tokens * COMPILED * architecture.hidden_size
    return Interval(low, expected, max(high, widest, _unmeasured(architecture, forward, settings))).map(round)


def workspace_bytes(architecture: Architecture, tokens: float, parts: int = 1) -> float:
    """Bytes of the two workspaces of sparse layers in 16 bits, on each of `parts` GPUs that share every layer.

    For each expert that a token visits, one is as wide as the model or as gate and up together, the other as the model
    or as their product (vllm, fused_moe.py, `TritonExperts.workspace_shapes`). What logs show beside the logits:
    Mixtral on two GPUs 0.69 GiB, here 0.66; DeepSeek-V2-Lite 0.44, here 0.45; Qwen3-30B-A3B 0.49, here 0.50.
    """
    if not architecture.is_sparse:
        return 0.0
    inner, hidden = architecture.moe_intermediate_size / parts, architecture.hidden_size
    return 2 * tokens * architecture.num_experts_per_tok * (max(2 * inner, hidden) + max(inner, hidden))


def _unmeasured(architecture: Architecture, forward: float, settings: EngineSettings) -> float:
    """The high end of layers that no log of three sources tells: other mixers of tokens, and graphs of their states."""
    if architecture.serves:
        return forward
    return UNMEASURED * forward + (0 if architecture.stateless or settings.eager else GRAPHS_OF_STATES)


def _sorts(gpu: Gpu | None, settings: EngineSettings) -> bool:
    """Whether the engine samples by a sort of all logits."""
    old = gpu is not None and gpu.compute_capability is not None and gpu.compute_capability < FLASHINFER_CAPABILITY
    return old or settings.release < FLASHINFER


def engine_bytes(
    architecture: Architecture,
    settings: EngineSettings,
    parts: int,
    constants: EngineConstants = ENGINE,
    *,
    cards: bool = False,
) -> Interval:
    """Bytes per GPU that PyTorch does not allocate, communicators among them, and CUDA graphs where they count.

    Args:
        architecture: the model.
        settings: of the engine.
        parts: GPUs that share every layer.
        constants: what is read from logs.
        cards: whether no NVLink joins them.
    """
    return (outside_bytes(settings, parts, constants, cards=cards) + _counted(architecture, settings, constants)).map(
        round
    )


def outside_bytes(
    settings: EngineSettings, parts: int, constants: EngineConstants = ENGINE, *, cards: bool = False
) -> Interval:
    """Bytes per GPU that PyTorch does not allocate: libraries' handles, and the buffers of sums over GPUs."""
    if parts > 1:
        return constants.outside_cards if cards and settings.release < MORE_OUTSIDE else constants.outside_joined
    return constants.outside if settings.release >= MORE_OUTSIDE else constants.outside_older


def graph_bytes(architecture: Architecture, settings: EngineSettings, constants: EngineConstants = ENGINE) -> Interval:
    """Bytes per GPU of CUDA graphs: of each layer's kernels in each graph, and beside."""
    graphs = _captured(settings)
    layers = constants.graph_layer * (architecture.num_hidden_layers * graphs)
    return layers + constants.graphs + constants.graphs_captured * (graphs / MOST_GRAPHS)


def _captured(settings: EngineSettings) -> int:
    """Numbers of tokens for which graphs are captured: up to twice the requests, at most 512 (vllm/config/vllm.py)."""
    most = min(2 * settings.max_num_seqs, MOST_CAPTURED)
    return sum(size <= most for size in (1, 2, 4, *range(8, 256, 8), *range(256, MOST_CAPTURED + 1, 16)))


def _counted(architecture: Architecture, settings: EngineSettings, constants: EngineConstants) -> Interval:
    if settings.eager or settings.release < GRAPHS_COUNTED:
        return Interval.exact(0.0)
    found = graph_bytes(architecture, settings, constants)
    return found if settings.release < GRAPHS_APART else Interval(0.0, 0.0, found.high)
