"""GPU memory of an endpoint: weights, adapters, KV cache, activations, the engine's overhead."""

from __future__ import annotations

from functools import lru_cache
from math import floor
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.parameters import kv_cache_bytes_per_token
from hbspec.diagnostics import Missing, NotKnownError, known
from hbspec.estimators.serving.constants import BATCHED_TOKENS, CONTEXT_BYTES
from hbspec.estimators.weights import serving_weights
from hbspec.plan import ServingPlan

NO_MODEL = Missing("the model's architecture", ("model",))


LINEAR = Missing("the memory and the speed of serving layers with linear attention", ("deployment",))
"""Each request holds a state of theirs beside its keys and values, which engines lay out in pages of their own."""


STATE_SPACE = Missing("the memory and the speed of serving layers with a state space", ("deployment",))
"""The same holds of them."""


CONVOLUTIONS = Missing("the memory and the speed of serving layers with short convolutions", ("deployment",))
"""And of them."""


GLOBAL_HEADS = Missing(
    "the memory and the speed of serving layers whose heads differ from layer to layer", ("deployment",)
)
"""Engines lay out the cache of such layers in pages of one size, which are not counted."""


LATENT = Missing("the speed of serving latent attention, and the weights that engines fold for it", ("deployment",))
"""Engines cache the latent of each token, and multiply by it in ways of their own."""


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
    if not architecture.serves:
        raise NotKnownError(_not_served(architecture))
    return architecture


def _not_served(architecture: Architecture) -> Missing:
    """Why the serving of a model is not known."""
    if architecture.latent_attention is not None:
        return LATENT
    if architecture.state_space is not None:
        return STATE_SPACE
    if architecture.short_convolution is not None:
        return CONVOLUTIONS
    return LINEAR if architecture.global_heads is None else GLOBAL_HEADS


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
    longest, typical = (
        round(request_cache(plan, tokens)) if tokens else None for tokens in (plan.max_model_len, typical_tokens(plan))
    )
    return Demand(longest, typical, typical and plan.concurrency * typical, longest and plan.concurrency * longest)


def typical_tokens(plan: ServingPlan) -> float | None:
    """Tokens of a typical prompt and answer, capped at `max_model_len`; None without the answer's length."""
    if plan.output_tokens is None:
        return None
    tokens = plan.input_tokens + plan.output_tokens
    return min(tokens, plan.max_model_len) if plan.max_model_len else tokens


@lru_cache(maxsize=256)
def weights_bytes(architecture: Architecture, quantization: str) -> int:
    """Bytes of the whole model as served; see `hbspec.estimators.weights.serving_weights`.

    Raises:
        NotKnownError: a quantisation whose size is not known.
    """
    return sum(serving_weights(architecture, quantization).values())


def served_weights(plan: ServingPlan) -> int:
    """Bytes of the plan's model as served, over all its GPUs.

    Raises:
        NotKnownError: the architecture is not known, or the size of weights in this quantisation.
    """
    return weights_bytes(served_model(plan), plan.quantization)


def adapter_slot_bytes(plan: ServingPlan) -> int:
    """Bytes of 16-bit adapters served separately from the weights; the engine reserves them for its largest rank.

    Merged adapters take no memory. Source: docs.vllm.ai, "LoRA Adapters" (`max_lora_rank` sizes the slots).
    """
    if plan.adapters != "separate" or not plan.lora_parameters or not plan.lora_r:
        return 0
    return 2 * plan.lora_parameters * max(plan.max_lora_rank, plan.lora_r) // plan.lora_r


def cache_element(plan: ServingPlan) -> int:
    """Bytes per element of the KV cache."""
    return 1 if plan.kv_cache_dtype == "fp8" else 2


def cache_copies(plan: ServingPlan) -> float:
    """Copies of each key and value over the GPUs that share a layer: one, unless the GPUs outnumber the heads.

    Every GPU holds at least one key-value head, so with more GPUs than heads the heads are replicated (vLLM,
    `ModelConfig.get_num_kv_heads`: max(1, heads // tensor_parallel_size)).

    Raises:
        NotKnownError: the architecture is not known.
    """
    return max(1.0, plan.tensor_parallel / served_model(plan).num_key_value_heads)


def request_cache(plan: ServingPlan, tokens: float) -> float:
    """Bytes of one request's keys and values over all GPUs that share it, including replicated heads.

    Raises:
        NotKnownError: the architecture is not known.
    """
    architecture = served_model(plan)
    return cache_copies(plan) * cache_bytes(architecture, tokens, cache_element(plan))


def cache_bytes(architecture: Architecture, tokens: float, element: int = 2) -> float:
    """Bytes of one request's keys and values: 2 x key-value heads x head_dim x tokens x `element` for each layer.

    A layer with a sliding window or chunked attention keeps at most its window (transformers' `SlidingWindowLayer`;
    vLLM's hybrid KV cache manager, docs.vllm.ai).
    """
    layer = kv_cache_bytes_per_token(architecture, element) / architecture.num_hidden_layers
    bounded = bounded_layers(architecture)
    kept = tokens if architecture.sliding_window is None else min(tokens, architecture.sliding_window)
    return layer * ((architecture.num_hidden_layers - bounded) * tokens + bounded * kept)


def longest_request(architecture: Architecture, room: float, element: int = 2) -> int:
    """The most tokens whose KV cache takes at most `room` bytes: the inverse of `cache_bytes`.

    Where every layer has a window, a request of any length fits if a window does: the model's positions are returned.
    """
    layers, window = architecture.num_hidden_layers, architecture.sliding_window
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


def activation_bytes(architecture: Architecture, tokens: float, logits: float, element: int = 2) -> float:
    """Peak bytes of activations in a forward pass over `tokens` tokens.

    The MLP holds three vectors of its own width (gate, up and their product) and three of the model's width (residual,
    its norm and the result) per token; a sparse layer has the width of all experts that a token visits. Logits of
    `logits` tokens are in fp32. transformers' Qwen2.5 in 16 bits, 6,144 to 30,720 tokens: within 3 % of all allocated
    memory.
    """
    wide = architecture.intermediate_size
    if architecture.is_sparse:
        visited = architecture.num_experts_per_tok * architecture.moe_intermediate_size
        wide = max(wide, visited + architecture.shared_expert_intermediate_size)
    return 3 * element * tokens * (wide + architecture.hidden_size) + 4 * logits * architecture.vocab_size


def room_bytes(plan: ServingPlan, engine: float = CONTEXT_BYTES.expected) -> int | None:
    """Bytes available for the KV cache over all GPUs together; None where the GPU's memory is not known.

    The share of each GPU that the engine may use, less weights, adapters, activations and the engine's overhead; it is
    negative where these do not fit.

    Args:
        plan: the endpoint.
        engine: the engine's overhead in bytes per GPU.

    Raises:
        NotKnownError: as for `fixed_terms`.
    """
    usable = plan.hardware.gpu.usable_bytes if plan.hardware else None
    if usable is None:
        return None
    taken = sum(fixed_terms(plan).values()) + round(engine)
    return (floor(usable * plan.utilization) - taken) * plan.tensor_parallel


def batched_tokens(plan: ServingPlan) -> int:
    """Tokens that the engine computes at once; vLLM refuses fewer than requests (`SchedulerConfig`)."""
    return max(BATCHED_TOKENS, plan.concurrency)


def fixed_terms(plan: ServingPlan) -> dict[str, int]:
    """Bytes per GPU that do not depend on the lengths of requests, by name; sharded terms are rounded up.

    Raises:
        NotKnownError: the architecture is not known, or the size of weights in this quantisation.
    """
    architecture = served_model(plan)
    parts = plan.tensor_parallel
    return {
        "weights": -(-served_weights(plan) // parts),
        "adapters": -(-adapter_slot_bytes(plan) // parts),
        "activations": round(activation_bytes(architecture, batched_tokens(plan), plan.concurrency)),
    }
