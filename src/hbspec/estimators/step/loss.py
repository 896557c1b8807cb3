"""What TRL's fused output head and loss need at their largest moment.

Symbols: n tokens of a micro-batch, h hidden, V vocabulary, c and s element sizes of compute and residual stream. The
standard loss, with all logits at once, is run with the layers (`hbspec.estimators.step.lifetimes.model`).
"""

from __future__ import annotations

from collections.abc import Mapping

from hbspec.catalog import Architecture
from hbspec.catalog.dtypes import FLOAT32
from hbspec.catalog.roles import TRAINED, roles
from hbspec.estimators.precision import Precision
from hbspec.plan import Training

TILE_TOKENS, TILE_VOCABULARY = 4096, 32768
"""The tile of logits that a fused head works on: `TOKEN_CHUNK_SIZE` and `_CHUNKED_LOGPROB_CHUNK_SIZE` of TRL 1.16.0
(`trl/kernels/chunked_logprob.py`, `trl/trainer/utils.py`). Other chunked losses are taken to be alike."""


TARGET_BYTES = 21
"""A target's id, whether it counts, its logarithm, its share of the denominator and its gradient."""

STATISTICS_BYTES = 37
"""A target's id, whether it counts, and seven running sums in fp32."""


def fused_forward_bytes(
    architecture: Architecture, precision: Precision, training: Training, tokens: int
) -> Mapping[str, int]:
    """Bytes by term of the final norm, TRL's fused head and its loss over n tokens, in the forward pass.

    The norm's fp32 input, (4 h + 4) n, and its output, s n h; the selected hidden states, s N h; one tile.

    Source: TRL 1.16.0, `kernels/chunked_logprob.py`, `ChunkedLogProbFunction.forward`.
    """
    hidden, targets = architecture.hidden_size, tokens - training.micro_batch
    normed = precision.stream * tokens * hidden
    return {
        **_tile(architecture, precision, targets),
        "final_norm": _norm_bytes(architecture, precision, training, tokens) + normed,
        "selected": precision.stream * targets * hidden,
        "inputs": STATISTICS_BYTES * targets,
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
    hidden, targets = architecture.hidden_size, tokens - training.micro_batch
    cast = precision.stream if precision.stream < FLOAT32 else 0
    head = architecture.vocab_size * hidden if _trains(architecture, training, "lm_head") else 0
    return {
        **_tile(architecture, precision, targets),
        "final_norm": _norm_bytes(architecture, precision, training, tokens),
        "selected": precision.stream * targets * hidden,
        "backward": (FLOAT32 + cast) * targets * hidden,
        "head_gradients": (FLOAT32 + cast) * head,
        "inputs": TARGET_BYTES * targets,
    }


def _norm_bytes(architecture: Architecture, precision: Precision, training: Training, tokens: int) -> int:
    """The norm's fp32 input, and where it is trained its normalised output."""
    normalised = precision.stream if _trains(architecture, training, "norm") else 0
    return tokens * ((FLOAT32 + normalised) * architecture.hidden_size + FLOAT32)


def _trains(architecture: Architecture, training: Training, name: str) -> bool:
    targets = training.target_modules if training.adapters else ()
    return roles(architecture, targets, training.modules_to_save)[name] == TRAINED


def _tile(architecture: Architecture, precision: Precision, targets: int) -> Mapping[str, int]:
    """A buffer for a tile of logits, however small the vocabulary; 16-bit copies of what is stored wider."""
    compute = precision.compute if precision.autocast else precision.stream
    chunk, width = min(targets, TILE_TOKENS), min(architecture.vocab_size, TILE_VOCABULARY)
    narrowed = compute if compute != precision.stream else 0
    return {
        "logits": compute * chunk * TILE_VOCABULARY,
        "head_copy": narrowed * (width + chunk) * architecture.hidden_size,
    }
