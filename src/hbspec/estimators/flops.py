"""Floating-point operations of one micro-batch, as a counter of matrix products counts them.

Symbols: n tokens, B rows of T tokens, L layers, q width of the queries, V vocabulary, h hidden, N weights of the linear
modules (of the experts that a token visits, in sparse layers), P adapter parameters.

Source: traces with torch's own formulas (`torch.utils.flop_counter`, 2.13) over transformers 5.23.0 + peft 0.21.2. For
dense models these equal them to 1e-6 with checkpointing; without it, adapters do not need the gradient of the first
layer's input, which is left out here (0.05 % of a 32B). Left out too: norms, activations, rotary embeddings, unpacking
of 4-bit weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from hbspec.catalog import Architecture
from hbspec.catalog.parameters import weights

ATTENTION_BACKWARD = 2.5
"""Products of attention's backward pass for two in the forward pass: five, the scores being computed again."""


@dataclass(frozen=True, slots=True)
class Flops:
    """Operations of one micro-batch by pass; `attention` of them (in all passes) are over all pairs of tokens.

    A causal kernel skips nearly half of `attention`; a counter does not know that.
    """

    forward: float
    recompute: float
    backward: float
    attention: float

    @property
    def total(self) -> float:
        """All three passes together."""
        return self.forward + self.recompute + self.backward


@lru_cache(maxsize=256)
def linear_weights_visited(architecture: Architecture) -> int:
    """N: weights of all linear modules, routers and visited experts, without embedding and head."""
    visited = 0
    for weight in weights(architecture):
        if weight.kind == "expert":
            visited += weight.parameters // weight.copies * architecture.num_experts_per_tok
        elif weight.kind in ("linear", "router"):
            visited += weight.parameters
    return visited


def attention_flops(architecture: Architecture, rows: float, tokens: float) -> float:
    """Two products over all pairs of tokens, forward: 4 B T² q L. Sliding windows are left out."""
    return 4 * rows * tokens**2 * architecture.query_size * architecture.num_hidden_layers


def micro_batch_flops(
    architecture: Architecture, rows: float, tokens: float, *, adapters: int | None, checkpointing: bool, rank: int = 0
) -> Flops:
    """Operations of one micro-batch.

    forward = 2 n (N + V h + P) + A with A = 4 B T² q L.
    backward = 2 n (N + V h) + 4 n P + 2.5 A with adapters, 4 n (N + V h) + 2.5 A without.
    recompute = forward - 2 n V h - the last product of each layer, which non-reentrant checkpointing stops before:
    2 n L r h with adapters, 2 n L h I without.

    Args:
        architecture: the model.
        rows: B, rows of the micro-batch.
        tokens: T, tokens of a row, padding included.
        adapters: P, adapter parameters; None where the model itself is trained.
        checkpointing: whether layers are computed again in the backward pass.
        rank: r of the adapters.
    """
    n = rows * tokens
    visited, head = linear_weights_visited(architecture), architecture.vocab_size * architecture.hidden_size
    pairs = attention_flops(architecture, rows, tokens)
    forward = 2 * n * (visited + head + (adapters or 0)) + pairs
    if adapters is None:
        backward = 4 * n * (visited + head) + ATTENTION_BACKWARD * pairs
        last = architecture.hidden_size * architecture.intermediate_size
    else:
        backward = 2 * n * (visited + head) + 4 * n * adapters + ATTENTION_BACKWARD * pairs
        last = architecture.hidden_size * rank
    again = forward - 2 * n * head - 2 * n * architecture.num_hidden_layers * last if checkpointing else 0.0
    times = 1 + ATTENTION_BACKWARD + checkpointing
    return Flops(forward, again, backward, times * pairs)
