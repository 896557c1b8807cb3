"""The architecture of a recorded model: its counts from the file's weights and programs, the rest from its config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog.architecture import Architecture
from hbspec.catalog.config_fields import LARGEST
from hbspec.catalog.layers import FULL, LINEAR, SLIDING
from hbspec.catalog.recorded import Recording

LOCAL = "sliding_attention", "chunked_attention"


WITHOUT_TRAITS: Mapping[str, Any] = {
    **dict.fromkeys(("activation", "qk_norm", "parallel"), ""),
    **dict.fromkeys(("attention_bias", "output_bias", "mlp_bias", "attention_sinks", "expert_bias"), False),
    **dict.fromkeys(("rotary_size", "num_experts", "num_experts_per_tok", "moe_intermediate_size"), 0),
    "shared_expert_intermediate_size": 0,
    "unrotated_layers": (),
    "moe_layers": (),
    "dropouts": frozenset(),
    "linear_attention": None,
    "global_heads": None,
    "latent_attention": None,
}
"""Traits that only layers of a family have: those of a recorded one are in its programs."""


def recorded_architecture(recording: Recording) -> Architecture:
    """The architecture of a recorded model."""
    config, fields = _text(recording.config), recording.values["fields"]
    table = next(weight for weight in recording.weights if weight.place == "embed_tokens")
    heads, keys, width = recording.attention or (0, 0, 0)
    layers = len(recording.kinds)
    window, types = _attention(fields, layers) if recording.values["masks"] else (None, (LINEAR,) * layers)
    stored = recording.config.get("quantization_config")
    positions = _whole(fields, "max_position_embeddings") or LARGEST
    dtypes = (place.get(name) for place in (config, recording.config) for name in ("dtype", "torch_dtype"))
    return Architecture(
        model_type=str(recording.config["model_type"]),
        variant="",
        hidden_size=recording.width,
        intermediate_size=_whole(fields, "intermediate_size") or 0,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=keys,
        head_dim=width,
        vocab_size=table.rows,
        max_position_embeddings=positions,
        tabulated_positions=positions,
        tie_word_embeddings=bool(recording.values["tied"]),
        **WITHOUT_TRAITS,
        layer_types=types,
        sliding_window=window,
        torch_dtype=next((value for value in dtypes if isinstance(value, str)), None),
        quant_method=stored.get("quant_method") if isinstance(stored, Mapping) else None,
        wrapper="",
        tower=recording.tower,
        recorded=recording,
    )


def _text(config: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = config.get("text_config")
    return inner if isinstance(inner, Mapping) else config


def _whole(config: Mapping[str, Any], *names: str) -> int | None:
    return next((config[name] for name in names if type(config.get(name)) is int and config[name] > 0), None)


def _attention(fields: Mapping[str, Any], layers: int) -> tuple[int | None, tuple[str, ...]]:
    """The window of layers that have one, and which those are."""
    window = _whole(fields, "sliding_window", "attention_chunk_size")
    listed = fields.get("layer_types")
    if window is None or fields.get("use_sliding_window") is False:
        return None, (FULL,) * layers
    if isinstance(listed, list) and len(listed) == layers:
        return window, tuple(SLIDING if kind in LOCAL else FULL for kind in listed)
    return window, (SLIDING,) * layers
