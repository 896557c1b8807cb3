"""What one decoder layer keeps for its backward pass, and what that pass needs beside it.

All in bytes a token of a micro-batch, with the widths of `hbspec.estimators.layer.Layer`: h hidden, q queries, k keys,
I intermediate, H heads, r rank, x the summed input widths of the adapted modules; and with element sizes c (compute),
s (residual stream), a (attention), t (adapters).

Source: traces of transformers 5.23.0 + peft 0.21.2 + bitsandbytes 0.50.2 models under torch 2.13 fake tensors (Qwen2,
Llama and Mistral; sdpa with its flash kernel), which the formulas for c = 2 reproduce to the byte for what is saved,
and to 1 % for the backward pass. Not traced, so estimates: sparse layers, four norms a layer, eager attention, padding,
DoRA.
"""

from __future__ import annotations

from collections.abc import Mapping

from hbspec.estimators.layer import Layer
from hbspec.estimators.precision import Precision
from hbspec.plan import Training


def saved_by_layer(layer: Layer, precision: Precision, training: Training, tokens: int) -> Mapping[str, int]:
    """Bytes a token that autograd keeps of one layer, without checkpointing.

    Args:
        layer: its widths.
        precision: element sizes.
        training: method, adapters, attention kernel.
        tokens: T of a row, which the terms of materialised attention grow with.
    """
    terms = {
        "norms": _norms(layer),
        "attention": _attention(layer, precision),
        "materialized_attention": _materialized(layer, precision, training, tokens),
        "mlp": _mlp(layer, precision),
    }
    terms |= {"adapters": _adapters(layer, precision, training)} if training.adapters else {"inputs": _inputs(layer)}
    return terms


def _norms(layer: Layer) -> int:
    """An fp32 copy of the input and an fp32 root for each norm: 4 h + 4, 4 (q + k) + 4 (H + K) for head norms."""
    over_hidden = layer.norms * (4 * layer.hidden + 4)
    if not layer.head_norms:
        return over_hidden
    heads = layer.heads + layer.heads * layer.key_value // max(1, layer.query)
    return over_hidden + 4 * (layer.query + layer.key_value + heads)


def _attention(layer: Layer, precision: Precision) -> int:
    """Rotated queries and keys, values, output, fp32 log-sum-exp: a (q + k + k + q) + 4 H."""
    return 2 * precision.attention * (layer.query + layer.key_value) + 4 * layer.heads


def _materialized(layer: Layer, precision: Precision, training: Training, tokens: int) -> int:
    """What kernels other than flash keep.

    Eager: softmax in fp32 and its copy in c, for every head over T keys, and keys and values repeated for every head:
    H T (4 + c) + 2 a (q - k). Padded rows under sdpa take a kernel with a mask: a T + 2 a (q - k).
    """
    repeated = 2 * precision.attention * (layer.query - layer.key_value)
    if training.attention == "eager":
        return layer.heads * tokens * (4 + precision.compute) + repeated
    if training.attention == "sdpa" and training.micro_batch > 1 and not training.packing:
        return precision.attention * tokens + repeated
    return 0


def _mlp(layer: Layer, precision: Precision) -> int:
    """Gate, up and activated gate: 3 s I; routed copies of the input and of the output of experts: 2 s h each."""
    return 3 * precision.stream * layer.intermediate + 2 * precision.stream * layer.hidden * layer.routed


def _inputs(layer: Layer) -> int:
    """Full fine-tuning also keeps both norms' normalised and scaled outputs and the input of down: 8 h + 2 I in 16 bit.

    Only 16-bit full fine-tuning was traced; in fp32 the normalised input is the saved one, and the others are twice as
    large.
    """
    return 4 * layer.hidden * layer.norms + 2 * layer.intermediate


def _adapters(layer: Layer, precision: Precision, training: Training) -> int:
    """What adapters add: their inputs, and the low-rank products.

    With dropout every adapted module keeps its own dropped input and a byte mask: x (1 + t), t being 2 under autocast.
    Without it, an input is shared by the modules that read it unless a cast makes a copy for each.
    """
    small = 2 if precision.autocast else precision.trained
    low_rank = layer.adapted * training.lora_r * small
    dora = 4 * layer.adapter_outputs if training.use_dora else 0
    if training.lora_dropout:
        return low_rank + dora + layer.adapter_inputs * (1 + small)
    if precision.trained == precision.stream == precision.attention:
        shared = layer.hidden * (layer.adapts_attention + layer.adapts_mlp) + layer.intermediate * layer.adapts_down
        return low_rank + dora + precision.stream * shared
    if precision.trained == 2 or precision.stream == 4:
        output_is_cast = precision.autocast and precision.trained == 2
        own = layer.adapter_inputs - (layer.query if output_is_cast else 0)
        return low_rank + dora + small * max(0, own)
    return low_rank + dora + layer.adapter_inputs * small


def backward_working(layer: Layer, precision: Precision, training: Training, tokens: int) -> int:
    """Bytes a token that the backward pass of a layer needs beside what the layer saved.

    The largest where the pass begins, at down: the incoming gradient, gradients of the product, of gate and of up, and
    with adapters their fp32 casts. Coefficients of h and I by trace.
    """
    hidden, intermediate = _working_widths(precision, training)
    eager = 8 * layer.heads * tokens if training.attention == "eager" else 0
    return hidden * layer.hidden + intermediate * layer.intermediate + eager


def _working_widths(precision: Precision, training: Training) -> tuple[int, int]:
    if not training.adapters:
        return 6, 0
    dropout = training.lora_dropout > 0
    if precision.stream == 4:
        if not precision.autocast:
            return 12, 4
        if precision.trained == 2:
            return (10, 6) if dropout else (8, 8)
        return (10, 8) if dropout else (10, 10)
    if precision.trained == 2:
        return 10, 2
    if precision.autocast:
        return (10, 10) if dropout else (10, 6)
    return ((12 if training.quantization else 14), 6) if dropout else (10, 2)


def dequantized(layer: Layer, precision: Precision, training: Training) -> tuple[int, int]:
    """The moment at which the largest quantised weight is unpacked, in the recomputed forward pass of down.

    A 16-bit copy of it and of its scales exist beside the layer; the dropped input of the adapter does not yet.
    bitsandbytes 0.50 may fuse this for 1,536 tokens and fewer, so it is an upper bound there.

    Args:
        layer: its widths.
        precision: element sizes.
        training: the adapters.

    Returns:
        Bytes whatever the tokens, and bytes a token beside what the layer saved.
    """
    buffer = precision.compute * layer.largest + precision.compute * layer.largest // 32
    if precision.stream == 4:
        wider = 4 if precision.trained == 2 and training.lora_dropout else 5
        return buffer, 8 * layer.hidden + wider * layer.intermediate
    small = 2 if precision.autocast else precision.trained
    dropped = (1 + small) * layer.intermediate * layer.adapts_down if training.lora_dropout else 0
    cast = 4 * layer.hidden if precision.trained == 4 else 0
    return buffer, 10 * layer.hidden + 2 * layer.intermediate + cast - dropped
