"""Bounds of a language model whose type no family describes, from the numbers of its own `config.json`.

Every layer mixes tokens by one of the ways that transformers' types have (attention, with compressed keys or not,
linear attention, state spaces, convolutions, recurrences), and then each token by an MLP or by experts. A config says
the sizes of those that a type has, but not which layer has which, nor whether an MLP is gated. The low end takes the
smallest way for every layer, the high end the largest, or all of them where nothing says that layers differ.

`benchmarks/bounded_models.py` compares the bounds with every causal language model that transformers 5.23.0 builds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hbspec.catalog import spelled_numbers as names
from hbspec.catalog.mixer_bounds import is_recurrent, mixers, scanned
from hbspec.catalog.mlp_bounds import MOST_EXPERTS, chosen, experts, mlps, number_of_experts, single_blocks
from hbspec.catalog.spelled_numbers import Spelled
from hbspec.units import Interval

UNREADABLE = frozenset(
    {"blt", "doge", "gemma3n", "hrm_text", "jetmoe", "longcat_flash", "qwen4_exp", "qwen4_exp_text", "roc_bert"}
    | {"zamba", "zamba2"}
)
"""Types whose parameters are not told by the numbers of their configs: those of shared, doubled or repeated blocks, of
experts of attention or of single neurons, of bytes, n-grams or sounds of characters, and of encoders of other
libraries."""

UNTIED = frozenset(
    {"bailing_hybrid", "bigbird_pegasus", "cpmant", "inkling2_text", "inkling_text", "kimi_linear", "mllama", "moshi"}
    | {"nemotron_h", "rembert", "trocr", "xlstm"}
)
"""Types whose head is a weight of its own, whatever `tie_word_embeddings` says (no `_tied_weights_keys` in 5.23.0)."""

NORMS = 64
"""Numbers per layer and per number of the residual stream that no matrix has: norms, biases, scales, short filters."""

MODELS = ("vision", "visual", "image", "audio", "speech", "vq", "encoder_config", "decoder_config", "tower", "talker")
"""Parts of the names of nested configs that describe models of their own."""

PATCHES = 4096
"""Numbers of an encoder's tables and projections per number of its width; the factor 2 leaves room for projectors."""

MOST_PARAMETERS = 10**15
"""More has no model; a config is untrusted."""

REST = 1.02
"""Factor on matrices for those that no size of a config tells, and for those that some layers do without."""


class Bounds(NamedTuple):
    """What is certain of a model, and what is likely.

    Attributes:
        model_type: as in the config.
        hidden_size: width of the residual stream.
        layers: number of layers.
        vocabulary: rows of the embedding.
        heads: the most heads of a layer; 1 where a config tells none.
        positions: the longest row; None where the config does not say.
        tied: whether head and embedding are one weight; None where the config does not say.
        outside: parameters of the embedding, the head and tables.
        inside: of all layers, without routed experts.
        experts: of all routed experts.
        beside: of encoders of images or sound.
        routed: number of routed experts in a layer; 0 without.
        chosen: routed experts that a token visits; 0 without.
        recurrent: whether layers have a state that they carry from token to token.
        scanned: numbers per token that one layer holds at most where it scans its states without kernels of their own.
        torch_dtype: dtype of the published weights; None where not known.
        quant_method: how they are quantised; None where they are not, or not known.
    """

    model_type: str
    hidden_size: int
    layers: int
    vocabulary: int
    heads: int
    positions: int | None
    tied: bool | None
    outside: Interval
    inside: Interval
    experts: Interval
    beside: Interval
    routed: int
    chosen: Interval
    recurrent: bool
    scanned: int
    torch_dtype: str | None
    quant_method: str | None

    @property
    def parameters(self) -> Interval:
        """All parameters."""
        return self.outside + self.inside + self.experts + self.beside


def bounds_of(config: Mapping[str, Any]) -> Bounds | None:
    """The bounds of a model; None where its config does not tell enough.

    Raises:
        ArchitectureError: a number is not of its kind, or out of bounds.
    """
    model_type = config.get("model_type")
    if not isinstance(model_type, str) or model_type in UNREADABLE:
        return None
    found = Spelled(_text(config))
    hidden, vocabulary, single = found.first(names.HIDDEN), found.first(names.VOCABULARY), single_blocks(found)
    layers = sum(single) if single else found.layers
    if hidden is None or layers is None or vocabulary is None or found.not_understood:
        return None
    mixed, beside = mixers(found, hidden), _beside(config)
    if mixed is None or beside is None or number_of_experts(found) > MOST_EXPERTS:
        return None
    bounds = _bounds(config, found, (hidden, layers, vocabulary), beside)
    inside = mixed * (single[0] if single else layers) + mlps(found, hidden, layers)
    bounds = bounds._replace(inside=_with_rest(inside, NORMS * hidden * layers))
    return bounds if bounds.parameters.high <= MOST_PARAMETERS else None


def _bounds(config: Mapping[str, Any], found: Spelled, sizes: tuple[int, int, int], beside: Interval) -> Bounds:
    """The bounds of a model with such a width, so many layers and such a vocabulary, but for what is in its layers."""
    hidden, layers, vocabulary = sizes
    tied, number = _tied(config, found), number_of_experts(found)
    stored = config.get("quantization_config")
    dtypes = (place.get(name) for place in (found.config, config) for name in ("dtype", "torch_dtype"))
    method = stored.get("quant_method") if isinstance(stored, Mapping) else None
    return Bounds(
        model_type=config["model_type"],
        hidden_size=hidden,
        layers=layers,
        vocabulary=vocabulary,
        heads=max(found.all(names.HEADS), default=1),
        positions=found.first(names.POSITIONS),
        tied=tied,
        outside=_outside(found, hidden, layers, tied),
        inside=Interval.exact(0),
        experts=_with_rest(experts(found, hidden, layers)),
        beside=beside,
        routed=number,
        chosen=chosen(found, number),
        recurrent=is_recurrent(found),
        scanned=scanned(found, hidden),
        torch_dtype=next((value for value in dtypes if isinstance(value, str)), None),
        quant_method=method if isinstance(method, str) else None,
    )


def _text(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The language model's part of a config."""
    inner = next((config[name] for name in names.NESTED if isinstance(config.get(name), Mapping)), config)
    parts = (inner[name] for name in names.PARTS if isinstance(inner.get(name), Mapping))
    return {name: value for part in (*parts, inner) for name, value in part.items()}


def _with_rest(ends: Interval, more: float = 0) -> Interval:
    """An interval of parameters with room for what no size of a config tells."""
    return Interval(ends.low / REST, ends.expected, ends.high * REST + more)


def _beside(config: Mapping[str, Any]) -> Interval | None:
    """Parameters of models beside the language model, which may not be loaded; None where one cannot be read."""
    total = Interval.exact(0)
    for name, inner in config.items():
        if name in names.NESTED or not isinstance(inner, Mapping) or not any(word in name for word in MODELS):
            continue
        found = Spelled(inner)
        hidden, layers = found.first(names.HIDDEN), found.layers or found.first(("depth", "encoder_layers"))
        if hidden is None or layers is None:
            return None
        mixed = mixers(found, hidden)
        if mixed is None:
            return None
        body = _with_rest(mixed * layers + mlps(found, hidden, layers), (NORMS * layers + PATCHES) * hidden)
        total += Interval(0, body.expected, 2 * body.high)
    return total


def _tied(config: Mapping[str, Any], found: Spelled) -> bool | None:
    said = [place["tie_word_embeddings"] for place in (config, found.config) if "tie_word_embeddings" in place]
    if config["model_type"] in UNTIED or found.config.get("model_type") in UNTIED:
        return None
    return said[0] if said and isinstance(said[0], bool) and said[0] is said[-1] else None


def _outside(found: Spelled, hidden: int, layers: int, tied: bool | None) -> Interval:
    """Embedding, head, tables of positions unless they are rotated, and tables that layers have of their own."""
    rows, widths = found.all(names.VOCABULARY), [hidden, *found.all(names.FACTORS)]
    low, high = min(rows) * min(widths), max(rows) * max(widths)
    rotated = any("rope" in name or "rotary" in name or "alibi" in name for name in found.config)
    positions = 0 if rotated else max(found.all(names.POSITIONS), default=0) * max(widths)
    tables = found.one("vocab_size_per_layer_input") * layers * found.one("hidden_size_per_layer_input")
    heads = (1, 1, 1) if tied is True else (2, 2, 2) if tied is False else (1, 2, 2)
    expected = heads[1] * rows[0] * hidden
    ends = heads[0] * low + tables, expected + positions // 2 + tables, heads[2] * high + positions + tables
    return Interval(ends[0], min(max(ends[0], ends[1]), ends[2]), ends[2] * REST)
