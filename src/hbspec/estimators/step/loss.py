"""What TRL's fused output head and loss need at their largest moment.

Symbols: n tokens of a micro-batch, h hidden, V vocabulary, c and s element sizes of compute and residual stream. The
standard loss, with all logits at once, is run with the layers (`hbspec.estimators.step.lifetimes.model`).
"""

from __future__ import annotations

from collections.abc import Mapping

from hbspec.catalog import Architecture
from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.roles import TRAINED, roles
from hbspec.catalog.weights import LAYER_NORM, PLAIN
from hbspec.estimators.precision import Precision
from hbspec.plan import Training

TILE_TOKENS, TILE_VOCABULARY = 4096, 32768
"""The tile of logits that a fused head works on: `TOKEN_CHUNK_SIZE` and `_CHUNKED_LOGPROB_CHUNK_SIZE` of TRL 1.16.0
(`trl/kernels/chunked_logprob.py`, `trl/trainer/utils.py`). Other chunked losses are taken to be alike."""


TARGET_BYTES = 21
"""A target's id, whether it counts, its logarithm, its share of the denominator and its gradient."""

LABEL = 8
"""Bytes of a token's id."""

HELD_BYTES = 38
"""A target's id and two logarithms; a label, whether it counts, and its probability, entropy, mean and rank."""

STATISTICS_BYTES = 37
"""A target's id, whether it counts, and seven running sums in fp32."""


def fused_forward_bytes(
    architecture: Architecture, precision: Precision, training: Training, tokens: int
) -> Mapping[str, int]:
    """Bytes by term of the final norm, TRL's fused head and its loss over n tokens, in the forward pass.

    The norm's fp32 input, (4 h + 4) n, and its output, s n h; the selected hidden states, s N h; one tile.

    Source: TRL 1.16.0, `kernels/chunked_logprob.py`, `ChunkedLogProbFunction.forward`.
    """
    if training.liger_head:
        return _liger_bytes(architecture, precision, training, tokens)
    hidden, targets = architecture.hidden_size, tokens - training.micro_batch
    element = _normed_element(architecture, precision)
    return {
        **_tile(architecture, precision, targets),
        "final_norm": _norm_bytes(architecture, precision, training, tokens) + element * tokens * hidden,
        "selected": element * targets * hidden,
        "inputs": STATISTICS_BYTES * targets,
    }


def fused_held_bytes(
    architecture: Architecture, precision: Precision, training: Training, tokens: int
) -> Mapping[str, int]:
    """What of that stays from the forward pass to the backward pass, with the outputs that a caller reads.

    Beside the norm's input and the selected hidden states a target's statistics, and for each token its label, whether
    it counts, and four outputs (`dpo_trainer.py`, `add_fused_lm_head(…, outputs=…)`).
    """
    targets = tokens - training.micro_batch
    return {
        "final_norm": _norm_bytes(architecture, precision, training, tokens),
        "selected": _normed_element(architecture, precision) * targets * architecture.hidden_size,
        "inputs": HELD_BYTES * targets,
    }


def fused_backward_bytes(
    architecture: Architecture, precision: Precision, training: Training, tokens: int
) -> Mapping[str, int]:
    """The same in the backward pass, when gradients get their last cast.

    Beside the selected hidden states their fp32 gradient, 4 N h, and its cast, s N h if that is narrower; with a
    trained head the fp32 gradient and the cast of it, 4 V h and s V h.

    N = n - rows, since the first token of a row is nobody's target. Left out: that tokens without a label are not
    selected, so it is an upper bound where only answers are learnt.

    Source: TRL 1.16.0, `kernels/chunked_logprob.py`, `ChunkedLogProbFunction.backward`.
    """
    if training.liger_head:
        held = _liger_bytes(architecture, precision, training, tokens)
        return {name: size for name, size in held.items() if name not in LIGER_CHUNK}
    hidden, targets = architecture.hidden_size, tokens - training.micro_batch
    element = _normed_element(architecture, precision)
    cast, head_cast = (size if size < FLOAT32 else 0 for size in (element, precision.stream))
    head = architecture.vocab_size * hidden if _trains(architecture, training, "lm_head") else 0
    return {
        **_tile(architecture, precision, targets),
        "final_norm": _norm_bytes(architecture, precision, training, tokens),
        "selected": element * targets * hidden,
        "backward": (FLOAT32 + cast) * targets * hidden,
        "head_gradients": (FLOAT32 + head_cast) * head,
        "inputs": TARGET_BYTES * targets,
    }


LIGER_CHUNK = ("logits", "head_copy")
"""The terms of a chunk of tokens in Liger's head, which it lets go of before the backward pass."""


def liger_chunk(architecture: Architecture, tokens: int) -> int:
    """Tokens of a chunk, whose logits are about as large as all hidden states.

    Source: liger-kernel 0.8.5, `ops/fused_linear_cross_entropy.py`, `fused_linear_cross_entropy_forward`.

    >>> from hbspec.catalog import catalog
    >>> liger_chunk(catalog().models["mistralai/Mistral-7B-v0.3"].architecture, 16384)
    2048
    """
    share = -(-architecture.vocab_size // architecture.hidden_size)
    return min(tokens, 1 << (-(-tokens // share) - 1).bit_length())


def _liger_bytes(
    architecture: Architecture, precision: Precision, training: Training, tokens: int
) -> Mapping[str, int]:
    """Bytes by term of the final norm and Liger's head: the gradients of input and weight, and the chunk."""
    hidden, chunk = architecture.hidden_size, liger_chunk(architecture, tokens)
    compute = precision.compute if precision.autocast else precision.stream
    narrowed = compute if compute != precision.stream else 0
    head = architecture.vocab_size * hidden
    return {
        "logits": compute * chunk * architecture.vocab_size,
        "head_copy": narrowed * (head + 2 * chunk * hidden),
        "final_norm": _norm_bytes(architecture, precision, training, tokens) + precision.stream * tokens * hidden,
        "backward": precision.stream * tokens * hidden,
        "head_gradients": precision.stream * head if _trains(architecture, training, "lm_head") else 0,
        "inputs": (LABEL + FLOAT32) * tokens,
    }


def _norm_bytes(architecture: Architecture, precision: Precision, training: Training, tokens: int) -> int:
    """The norm's fp32 input, and where it is trained its normalised output; Liger's holds its input as it is.

    One that takes the mean off holds its input twice without it. The usual one casts back before it weighs.
    """
    if training.liger:
        return tokens * (precision.stream * architecture.hidden_size + FLOAT32)
    kind = architecture.family.norm
    if kind in (LAYER_NORM, PLAIN):
        return tokens * (_normed_element(architecture, precision) * architecture.hidden_size + 2 * FLOAT32)
    held = 2 * FLOAT32 if kind == "centred" else FLOAT32
    weighed = precision.stream if kind == "rms" else FLOAT32
    normalised = weighed if _trains(architecture, training, "norm") else 0
    return tokens * ((held + normalised) * architecture.hidden_size + FLOAT32)


def _normed_element(architecture: Architecture, precision: Precision) -> int:
    """Bytes of a number that the final norm puts out: autocast leaves the output of `nn.LayerNorm` in fp32."""
    wide = precision.autocast and architecture.family.norm in (LAYER_NORM, PLAIN)
    return FLOAT32 if wide else precision.stream


def _trains(architecture: Architecture, training: Training, name: str) -> bool:
    targets = training.target_modules if training.adapters else ()
    return roles(architecture, targets, training.modules_to_save)[architecture.family.name(name)] == TRAINED


def _tile(architecture: Architecture, precision: Precision, targets: int) -> Mapping[str, int]:
    """A buffer for a tile of logits, however small the vocabulary; 16-bit copies of what is stored wider."""
    compute = precision.compute if precision.autocast else precision.stream
    chunk, width = min(targets, TILE_TOKENS), min(architecture.vocab_size, TILE_VOCABULARY)
    copied = width * (compute != precision.stream) + chunk * (compute != _normed_element(architecture, precision))
    return {
        "logits": compute * chunk * TILE_VOCABULARY,
        "head_copy": compute * copied * architecture.hidden_size,
    }
