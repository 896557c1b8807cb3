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

from functools import lru_cache, reduce
from math import ceil
from typing import NamedTuple

from hbspec.catalog import Architecture
from hbspec.catalog.layers import CHUNKED, FULL
from hbspec.estimators.precision import precision_of
from hbspec.estimators.step.job import program_of
from hbspec.estimators.step.lifetimes.kinds import kinds, program_profile
from hbspec.estimators.step.lifetimes.ledger import ROWS_TOKENS, Form, Products
from hbspec.estimators.step.lifetimes.program import Program
from hbspec.plan import Training


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
        """Of all three passes, without attention."""
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


def micro_batch_flops(
    architecture: Architecture,
    training: Training,
    tokens: float,
    *,
    rows: float | None = None,
    scored: float | None = None,
    program: Program | None = None,
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
    - Linear attention computes whole chunks of `ROWS_TOKENS` tokens of each row; the whole model is taken to. A state
      space computes whole chunks of its own beyond those.
    - Packed rows of a micro-batch that TRL joins are one row of n tokens, but for flash_attention_2, which keeps
      examples apart; here it is taken to hold one a row.

    Args:
        architecture: the model.
        training: how it is trained.
        tokens: T, tokens of a row, padding included.
        rows: B; None is the training's micro-batch.
        scored: N, positions with a label; None is all but the first of each row. Only a loss that never holds all
            logits asks.
        program: what the training runs on one GPU, if that was run already; masks and dtypes change no product.
    """
    rows = training.micro_batch if rows is None else rows
    if program is None or program.tensor_parallel > 1:
        program = program_of(training, precision_of(training), 1, padded=False)
    if not architecture.stateless:
        program = program._replace(rows=1 if training.joined else max(1, ceil(rows)))
    if architecture.linear_attention is not None or architecture.state_space is not None:
        row = _computed(tokens * rows / program.rows)
        tokens = row * program.rows / rows
        if architecture.state_space is not None:
            program = program._replace(padding=architecture.state_space.padding(row))
    layers, head = _passes(architecture, program)
    n = rows * tokens
    joined = training.joined and training.kernel != "flash_attention_2"
    pairs = n * n if joined else n * tokens
    if scored is None:
        scored = n if program.standard_loss else max(0, n - rows)
    return Flops(
        forward=_pass(layers.forward, n, pairs, head.forward, scored),
        recompute=_pass(layers.recompute, n, pairs, head.recompute, scored),
        backward=_pass(layers.backward, n, pairs, head.backward, scored),
    )


def _computed(tokens: float) -> int:
    """Tokens of a row, with those that linear attention computes to fill the last of its chunks."""
    return ceil(tokens / ROWS_TOKENS) * ROWS_TOKENS


class Answering(NamedTuple):
    """Operations of a model that an engine serves, forward and without adapters of its own.

    Attributes:
        token: of each token, the head apart.
        pair: of each pair of tokens.
        head: of each position whose next token is asked for: one a prompt, and one a token that is decoded.
    """

    token: int
    pair: int
    head: int


@lru_cache(maxsize=256)
def answering(architecture: Architecture) -> Answering:
    """Operations of a served model, by the same run as those of training: two a multiply-add."""
    layers, head = _passes(architecture, INFERENCE)
    return Answering(2 * layers.forward.per_token, 2 * layers.forward.per_pair, 2 * head.forward.per_token)


INFERENCE = Program(
    quantization=None,
    double_quant=False,
    targets=None,
    modules_to_save=(),
    rank=0,
    dropout=False,
    dora=False,
    checkpointing=False,
    reentrant=False,
    attention="sdpa",
    several_rows=False,
    padded=False,
    windowed=False,
    standard_loss=True,
    compute=2,
    stream=2,
    trained=2,
    autocast=False,
    accumulates=False,
    subclasses_quantised=False,
    experts_listed=False,
    loss_copies=False,
    loss_in_place=False,
    logits_replaced=False,
    logits_returned=False,
    outputs_held=False,
    inputs_kept=False,
    tensor_parallel=1,
    float16=False,
    on_gpu=True,
    liger=False,
    liger_head=False,
    offloads=False,
)
"""A forward pass in 16 bits, with nothing trained."""


class _Passes(NamedTuple):
    """Multiply-adds of one micro-batch: of embedding and layers, and of the head for the positions that it computes."""

    layers: Products
    head: Products


@lru_cache(maxsize=1024)
def _passes(architecture: Architecture, program: Program) -> _Passes:
    """Products by pass, of layers of which one of each kind was run."""
    run = program_profile(architecture, program)
    numbers = kinds(architecture, program).numbers(0, architecture.num_hidden_layers)
    layers = reduce(Products.plus, (run.products[index].times(number) for index, number in numbers.items()))
    return _Passes(run.embedding_products.plus(layers), run.head_products)


def _pass(layers: Form, n: float, pairs: float, head: Form, scored: float) -> Pass:
    products = 2 * (layers.per_token * n + layers.fixed) + 2 * (head.per_token * scored + head.fixed)
    return Pass(products, 2 * layers.per_pair * pairs)
