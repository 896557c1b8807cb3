"""Floating-point operations of one micro-batch, as a counter of matrix products counts them: two a multiply-add.

Symbols: B rows of T tokens, n = B T; N scored positions, B (T - 1) where every token is learnt; L layers, q width of
the queries, V vocabulary, h hidden, W weights of the linear modules, routers and visited experts that a token meets,
r rank, P adapter parameters on linear modules.

Source: traces of the real models with torch's own formulas (`torch.utils.flop_counter`, 2.13; transformers 5.23.0,
peft 0.21.2, bitsandbytes 0.50.2, trl 1.16.0) over fake tensors: `tests/oracle`, which holds each of them against this
to 1 %. Left out: norms, activations, rotary embeddings, the optimizer, unpacking of 4-bit weights (which is bytes, not
products).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.architecture import CHUNKED, FULL
from hbspec.estimators.step.products import Method, Passes, Work, passes
from hbspec.estimators.weights import FUSED_EXPERTS_SINCE, version
from hbspec.plan import Training

NON_REENTRANT_SINCE = (5, 0)
"""transformers 4 checkpoints by `use_reentrant=True` unless told otherwise, which computes whole layers again."""


class Pass(NamedTuple):
    """Operations of one pass: products with weights, and those over pairs of tokens."""

    products: float
    attention: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.products + self.attention


class Flops(NamedTuple):
    """Operations of one micro-batch by pass.

    `attention` is over all pairs of tokens, which is what a counter sees; what a kernel computes of them, of
    T² L a row, is `attention_pairs`.
    """

    forward: Pass
    recompute: Pass
    backward: Pass

    @property
    def products(self) -> float:
        """Of all three passes, what is no attention."""
        return self.forward.products + self.recompute.products + self.backward.products

    @property
    def attention(self) -> float:
        """Of all three passes, what is over pairs of tokens."""
        return self.forward.attention + self.recompute.attention + self.backward.attention

    @property
    def total(self) -> float:
        """All three passes together."""
        return self.products + self.attention


def attention_pairs(
    architecture: Architecture, tokens: float, *, attention: str = "sdpa", masked: bool = False
) -> float:
    """Pairs of tokens that the attention kernels of all layers compute for one row; a counter sees T² L.

    eager: all of them. sdpa: T (T + 1) / 2 by its causal kernel, which takes no mask; all pairs in layers that get one,
    for padded or packed rows and for a window below the row (transformers 5.23.0, `masking_utils.py`, `sdpa_mask`).
    flash_attention_2: causal and within the window w, w (w + 1) / 2 + (T - w) w, or chunk by chunk. Rows that it packs
    are told one example a call, and padded ones without their padding, since it skips both. Left out: what kernels
    compute beyond that because they work in tiles.

    Args:
        architecture: the model.
        tokens: T of the row.
        attention: "sdpa", "eager" or "flash_attention_2".
        masked: whether rows are padded or hold several examples.
    """
    if attention == "eager":
        return architecture.num_hidden_layers * tokens**2
    window, causal = architecture.sliding_window, tokens * (tokens + 1) / 2
    inside = window is None or tokens < window
    local = len(architecture.layer_types) - architecture.layer_types.count(FULL)
    if attention == "sdpa":
        everything = architecture.num_hidden_layers if masked else 0 if inside else local
        return everything * tokens**2 + (architecture.num_hidden_layers - everything) * causal
    if window is None or inside:
        return architecture.num_hidden_layers * causal
    triangle = window * (window + 1) / 2
    if CHUNKED in architecture.layer_types:
        chunks, left = divmod(tokens, window)
        near = chunks * triangle + left * (left + 1) / 2
    else:
        near = triangle + (tokens - window) * window
    return local * near + (architecture.num_hidden_layers - local) * causal


def forward_flops(
    architecture: Architecture,
    rows: float,
    tokens: float,
    *,
    training: Training | None = None,
    scored: float | None = None,
) -> Pass:
    """Operations of a forward pass without gradients: 2 n (W + P) + 2 N V h, and attention's 4 B T² q L.

    Args:
        architecture: the model.
        rows: B.
        tokens: T of each row.
        training: whose adapters are on the model and whose loss is computed; None is the model alone.
        scored: N, positions that the head computes: 1 a row for the prompt of an endpoint. None is every position, or
            with a loss that leaves out the first of each row all others.
    """
    method = BARE if training is None else method_of(training)._replace(dropout=False)
    return _micro_batch(architecture, method, rows, tokens, scored, False).forward


def micro_batch_flops(
    architecture: Architecture,
    training: Training,
    tokens: float,
    *,
    rows: float | None = None,
    scored: float | None = None,
) -> Flops:
    """Operations of one micro-batch.

    forward = 2 n (W + P) + 2 N V h + A with A = 4 B T² q L.
    backward = 2 n W + 4 n P + 2 N V h + 2.5 A with adapters, 4 n W + 4 N V h + 2.5 A without; 2 A where attention is
    eager. A loss that never holds all logits adds 2 N V h, to compute them again; one that does has N = n.
    recompute = forward without the head and without the last product of each layer, which non-reentrant checkpointing
    stops before: 2 n L r h with adapters, 2 n L h I without; nothing where a norm or a router's weighting is behind it.

    Beside that:
    - Without checkpointing adapters need no gradient of the first layer's input, nor of any before the first adapter.
    - Modules trained whole take 2 n R C more on the way back.
    - DoRA's norms take 2 C r (C + R) for each R x C module whatever the tokens, and with dropout the module's product
      twice in every pass.
    - Adapters on E fused experts are added to all their weights, twice a pass: 4 E r R C forward, 4 E r R C back, and
      the whole weights' gradient, 2 n R C for each expert that a token visits.
    - Every expert of Llama 4 computes every token.
    - Packed rows of a micro-batch are one row of n tokens, but for flash_attention_2, which keeps examples apart; here
      it is taken to hold one a row.

    Args:
        architecture: the model.
        training: how it is trained.
        tokens: T, tokens of a row, padding included.
        rows: B; None is the training's micro-batch.
        scored: N, positions with a label; None is all but the first of each row. Only a loss that never holds all
            logits asks.
    """
    rows = training.micro_batch if rows is None else rows
    joined = training.packing and training.attention != "flash_attention_2"
    return _micro_batch(architecture, method_of(training), rows, tokens, scored, joined)


@lru_cache(maxsize=256)
def method_of(training: Training) -> Method:
    """What of a training decides which products there are."""
    since = version(training, "transformers")
    return Method(
        targets=training.target_modules if training.adapters else (),
        modules_to_save=training.modules_to_save,
        rank=training.lora_r,
        dropout=training.lora_dropout > 0,
        dora=training.use_dora,
        checkpointing=training.gradient_checkpointing,
        stops_early=since >= NON_REENTRANT_SINCE,
        eager=training.attention == "eager",
        standard_loss=training.loss == "standard",
        experts_listed=since < FUSED_EXPERTS_SINCE,
    )


BARE = Method(
    targets=(),
    modules_to_save=(),
    rank=0,
    dropout=False,
    dora=False,
    checkpointing=False,
    stops_early=False,
    eager=False,
    standard_loss=True,
    experts_listed=False,
)
"""A model alone."""


def _micro_batch(
    architecture: Architecture, method: Method, rows: float, tokens: float, scored: float | None, joined: bool
) -> Flops:
    found: Passes = passes(architecture, method)
    n = rows * tokens
    pairs = n * n if joined else n * tokens
    if scored is None:
        scored = n if method.standard_loss else max(0, n - rows)
    positions = 2 * scored
    return Flops(
        forward=_pass(found.forward, n, pairs, positions * found.head.token),
        recompute=_pass(found.recompute, n, pairs, 0),
        backward=_pass(found.backward, n, pairs, positions * found.head_backward.token),
    )


def _pass(work: Work, n: float, pairs: float, head: float) -> Pass:
    return Pass(2 * (work.token * n + work.fixed) + head, 2 * work.pair * pairs)
