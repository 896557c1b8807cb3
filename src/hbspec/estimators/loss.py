"""What the output head and the loss need at their largest moment: the backward pass of the log-softmax.

Symbols: n tokens of a micro-batch, h hidden, V vocabulary, c and s element sizes of compute and residual stream.
"""

from __future__ import annotations

from collections.abc import Mapping

from hbspec.catalog import Architecture
from hbspec.estimators.precision import Precision
from hbspec.plan import Training

TILE_TOKENS, TILE_VOCABULARY = 4096, 32768
"""The tile of logits that a fused head works on: `TOKEN_CHUNK_SIZE` and `_CHUNKED_LOGPROB_CHUNK_SIZE` of TRL 1.16.0
(`trl/kernels/chunked_logprob.py`, `trl/trainer/utils.py`). Other chunked losses are taken to be alike."""


def loss_bytes(architecture: Architecture, precision: Precision, training: Training, tokens: int) -> Mapping[str, int]:
    """Bytes by term of the final norm, the head and the loss over n tokens.

    standard: log-softmax, gradient of the loss and gradient of the logits in fp32, 12 n V (transformers 5.23.0,
    `loss_utils.fixed_cross_entropy` after `logits.float()`); autocast's 16-bit copy of a 4-byte head, 2 V h.

    fused: one tile of logits, c 4096 · 32768 at most; the selected hidden states and their fp32 gradient, (s + 4) n h;
    their 16-bit chunk; with a trained head its fp32 gradient and the cast of it, 6 V h.

    Left out: Gemma 2's soft cap, which keeps another copy of all logits under the standard loss.
    """
    hidden, vocabulary = architecture.hidden_size, architecture.vocab_size
    full = not training.adapters
    terms = {"final_norm": tokens * (4 * hidden + 4) + (4 * tokens * hidden if full else 0)}
    narrowed = precision.compute if precision.autocast and precision.stream == 4 else 0
    if training.loss == "standard":
        terms["logits"] = 12 * tokens * vocabulary
        terms["head_copy"] = narrowed * vocabulary * hidden
        return terms
    chunk, width = min(tokens, TILE_TOKENS), min(vocabulary, TILE_VOCABULARY)
    terms["logits"] = precision.compute * chunk * width
    terms["head_copy"] = narrowed * width * hidden
    terms["head_gradients"] = (precision.stream + 4) * tokens * hidden + precision.compute * chunk * hidden
    if full:
        terms["head_gradients"] += 6 * vocabulary * hidden
    return terms
