"""GPU memory of an endpoint: weights, adapters, KV cache, activations, the engine's overhead."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.config_fields import LARGEST
from hbspec.catalog.parameters import kv_cache_bytes_per_token
from hbspec.diagnostics import Missing, NotKnownError, known
from hbspec.estimators.serving.adapters import slot_bytes
from hbspec.estimators.serving.pages import Pages, WindowedPages, pages_of, windowed_pages
from hbspec.estimators.serving.profiled import batched_tokens
from hbspec.estimators.weights import serving_weights
from hbspec.plan import ServingPlan
from hbspec.plan.engine_share import SGLANG

NO_MODEL = Missing("the model's architecture", ("model",))


WITHOUT_BLOCKS = Missing("the memory of serving a model of which no layer attends to tokens", ("deployment",))
"""Its cache has no blocks of tokens that its states could be as large as."""


def require_attention(architecture: Architecture) -> None:
    """Nothing, unless a recorded model attends in a way of which the heads are not known.

    Raises:
        NotKnownError: it does.
    """
    if architecture.recorded is not None and architecture.recorded.attention is None:
        raise NotKnownError(Missing("the heads and the key-value cache of this recorded model", ("model", "config")))


def served_model(plan: ServingPlan) -> Architecture:
    """The model that an endpoint serves.

    Raises:
        NotKnownError: the architecture is not known, or it has layers whose serving is not counted.
    """
    architecture = known(plan.architecture, NO_MODEL)
    require_attention(architecture)
    if not architecture.attention_layers:
        raise NotKnownError(WITHOUT_BLOCKS)
    return architecture


class Demand(NamedTuple):
    """KV cache that an endpoint needs, in bytes over all GPUs of a replica together.

    Attributes:
        longest: bytes of one request of `max_model_len` tokens; None where no length is set. vLLM refuses to start if
            it does not fit (`vllm/v1/core/kv_cache_utils.py`, `check_enough_kv_cache_memory`).
        typical_request: bytes of one typical request; None where the length of the typical answer is not set.
        typical: bytes of `concurrency` typical requests; likewise.
        all_longest: bytes of `concurrency` requests of `max_model_len` tokens; None where no length is set. Requests
            that do not fit wait, or vLLM preempts and recomputes them (docs.vllm.ai, Optimization, "Preemption").
    """

    longest: int | None
    typical_request: int | None
    typical: int | None
    all_longest: int | None

    @property
    def least(self) -> int:
        """Bytes that must fit: the longest allowed request, or the typical load if larger."""
        return max(self.longest or 0, self.typical or 0)


def demand(plan: ServingPlan) -> Demand:
    """The KV cache of the longest and of the typical requests.

    Raises:
        NotKnownError: the architecture is not known.
    """
    longest = plan.max_model_len and round(request_cache(plan, plan.max_model_len, batched_tokens(plan)))
    tokens = typical_tokens(plan)
    typical = None if tokens is None else round(request_cache(plan, tokens))
    return Demand(longest, typical, typical and plan.concurrency * typical, longest and plan.concurrency * longest)


def typical_tokens(plan: ServingPlan) -> float | None:
    """Tokens of a typical prompt and answer, capped at `max_model_len`; None without the answer's length."""
    if plan.output_tokens is None:
        return None
    tokens = plan.input_tokens + plan.output_tokens
    return min(tokens, plan.max_model_len) if plan.max_model_len else tokens


FIRST_OF_LATENT = ("q_a_proj", "kv_a_proj_with_mqa")
"""What projects to the latents."""


@lru_cache(maxsize=256)
def weights_bytes(architecture: Architecture, quantization: str) -> int:
    """Bytes of the whole model as served; see `hbspec.estimators.weights.serving_weights`.

    Raises:
        NotKnownError: a quantisation whose size is not known.
    """
    return sum(serving_weights(architecture, quantization).values())


def served_weights(plan: ServingPlan) -> int:
    """Bytes of the plan's model as served, over all its GPUs, each of which holds the same number.

    With latent attention, vLLM keeps what projects the latent to keys and values a second time, in 16 bits, as queries
    and outputs are multiplied by it, and each GPU holds what projects to the latents whole
    (vllm/model_executor/layers/attention/mla_attention.py, `process_weights_after_loading`; `ReplicatedLinear` in
    models/deepseek_v2.py).

    Raises:
        NotKnownError: the architecture is not known, or the size of weights in this quantisation.
    """
    architecture = served_model(plan)
    held, latent = weights_bytes(architecture, plan.quantization), architecture.latent_attention
    if latent is None:
        return held
    sizes = latent.projections(architecture.hidden_size, architecture.num_attention_heads)
    folded, whole = sizes["kv_b_proj"], [sizes[name] for name in FIRST_OF_LATENT if name in sizes]
    copies = sum(columns * rows for columns, rows in whole) * (plan.tensor_parallel - 1)
    each = 2 if plan.quantization == "none" else 1
    return held + architecture.num_hidden_layers * (2 * folded[0] * folded[1] + each * copies)


def gpu_weights(plan: ServingPlan) -> int:
    """Bytes of weights on each GPU: its part of the model, rounded up, and the table of rotary angles.

    Each GPU holds that table whole, in 16 bits: cosines and sines of half of what is rotated, for every position in it
    (vllm/model_executor/layers/rotary_embedding/base.py, `_compute_cos_sin_cache`). Logs: Llama-3.1-8B takes 14.99,
    7.51 and 3.77 GiB on one, two and four GPUs, without it 14.96, 7.48 and 3.74; the table takes 2.5 GiB of
    Llama-4-Scout's ten million positions, and 0.5 GiB of Gemma 3's, which are scaled by 8.

    Raises:
        NotKnownError: the architecture is not known, or the size of weights in this quantisation.
    """
    architecture = served_model(plan)
    rotates = len(architecture.unrotated_layers) < architecture.num_hidden_layers
    rotates = rotates and architecture.max_position_embeddings < LARGEST
    table = 2 * architecture.tabulated_positions * _rotated_width(architecture) if rotates else 0
    return -(-served_weights(plan) // plan.tensor_parallel) + table


def _rotated_width(architecture: Architecture) -> int:
    """Numbers of a head that are rotated, of the widest head; of a recorded model a whole head."""
    widest = architecture.global_heads.width if architecture.global_heads else 0
    return max(architecture.rotary_size or architecture.head_dim, widest)


SGLANG_PLACES = 8
"""Adapters that SGLang has places for."""


def adapter_slot_bytes(plan: ServingPlan) -> int:
    """Bytes per GPU of 16-bit adapters served separately from the weights; see `slot_bytes`. Merged ones take none.

    vLLM is told to keep one adapter; SGLang has eight places unless it is told (`max_loras_per_batch`, release 0.5.23).

    Raises:
        NotKnownError: the architecture is not known.
    """
    if plan.adapters != "separate" or not plan.lora_r:
        return 0
    places = SGLANG_PLACES if plan.engine == SGLANG else 1
    return places * slot_bytes(served_model(plan), max(plan.max_lora_rank, plan.lora_r), plan.tensor_parallel)


def cache_element(plan: ServingPlan) -> int:
    """Bytes per element of the KV cache."""
    return 1 if plan.kv_cache_dtype == "fp8" else 2


def cache_copies(plan: ServingPlan) -> float:
    """Copies of each key and value over the GPUs that share a layer: one, unless the GPUs outnumber the heads.

    Every GPU holds at least one key-value head, so with more GPUs than heads the heads are replicated (vLLM,
    `ModelConfig.get_num_kv_heads`: max(1, heads // tensor_parallel_size)). All heads share a latent, which each GPU
    caches (`MLAAttentionSpec` with one head).

    Raises:
        NotKnownError: the architecture is not known.
    """
    architecture = served_model(plan)
    heads = architecture.num_key_value_heads if architecture.latent_attention is None else 1
    return max(1.0, plan.tensor_parallel / heads)


def token_cache(plan: ServingPlan) -> float:
    """Bytes of one token's keys and values over all GPUs, while no window is full; states of layers take more.

    Raises:
        NotKnownError: the architecture is not known.
    """
    return cache_copies(plan) * kv_cache_bytes_per_token(served_model(plan), cache_element(plan))


def request_cache(plan: ServingPlan, tokens: float, scheduled: int = 1) -> float:
    """Bytes of one request's keys, values and states over all GPUs that share it, including replicated heads.

    Of layers with states or with heads of their own in whole pages, see `hbspec.estimators.serving.pages`.

    Args:
        plan: the endpoint.
        tokens: of the request.
        scheduled: tokens computed at once; see `cache_bytes`.

    Raises:
        NotKnownError: the architecture is not known.
    """
    architecture, pages = served_model(plan), _pages(plan, scheduled)
    if pages is not None:
        return plan.tensor_parallel * pages.request_bytes(tokens)
    return cache_copies(plan) * cache_bytes(architecture, tokens, cache_element(plan), scheduled)


def _pages(plan: ServingPlan, scheduled: int) -> Pages | WindowedPages | None:
    """The layout where it is in pages that all layers share; None where each layer has blocks of its own."""
    architecture, parts, element = served_model(plan), plan.tensor_parallel, cache_element(plan)
    if architecture.global_heads is not None:
        return windowed_pages(architecture, parts, element, scheduled)
    return None if architecture.stateless else pages_of(architecture, parts, element)


def longest_served(plan: ServingPlan, room: float) -> int:
    """The most tokens of a request whose cache takes at most `room` bytes over all GPUs.

    Raises:
        NotKnownError: the architecture is not known.
    """
    scheduled = batched_tokens(plan)
    pages = _pages(plan, scheduled)
    if pages is not None:
        return pages.longest(room / plan.tensor_parallel)
    return longest_request(served_model(plan), room / cache_copies(plan), cache_element(plan), scheduled)


def cache_bytes(architecture: Architecture, tokens: float, element: int = 2, scheduled: int = 1) -> float:
    """Bytes of one request's keys and values: 2 x key-value heads x head_dim x tokens x `element` for each layer.

    A layer with a sliding window or chunked attention keeps at most its window (transformers' `SlidingWindowLayer`;
    vLLM's hybrid KV cache manager, docs.vllm.ai). While a prompt is read, vLLM keeps the tokens of a chunk beside those
    of the window before it, and has room for both in each request (vllm/v1/kv_cache_interface.py, `SlidingWindowSpec`).

    Args:
        architecture: the model.
        tokens: of the request.
        element: bytes of each number.
        scheduled: tokens computed at once: 1 while answering.
    """
    layer = kv_cache_bytes_per_token(architecture, element) / architecture.num_hidden_layers
    bounded = bounded_layers(architecture)
    kept = tokens if architecture.sliding_window is None else min(tokens, architecture.sliding_window - 1 + scheduled)
    return layer * ((architecture.num_hidden_layers - bounded) * tokens + bounded * kept)


def longest_request(architecture: Architecture, room: float, element: int = 2, scheduled: int = 1) -> int:
    """The most tokens whose KV cache takes at most `room` bytes: the inverse of `cache_bytes`.

    Where every layer has a window, a request of any length fits if a window does: the model's positions are returned.
    """
    layers = architecture.num_hidden_layers
    window = architecture.sliding_window and architecture.sliding_window - 1 + scheduled
    layer = kv_cache_bytes_per_token(architecture, element) / layers
    bounded = bounded_layers(architecture)
    if room <= 0:
        return 0
    if window is None or not bounded or room < layer * layers * window:
        return int(room / (layer * layers))
    if bounded == layers:
        return max(window, architecture.max_position_embeddings)
    return int((room - layer * bounded * window) / (layer * (layers - bounded)))


def bounded_layers(architecture: Architecture) -> int:
    """The number of layers whose KV cache is bounded by a window."""
    if architecture.sliding_window is None:
        return 0
    return sum(kind != "full_attention" for kind in architecture.layer_types)
