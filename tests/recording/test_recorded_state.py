"""Models that a first forward pass changes, and configs and modules that are not where most have them."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from hbspec.recording.program import RecordingError

SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 99}
CTRL = {"model_type": "ctrl", "n_embd": 32, "dff": 64, "n_layer": 2, "n_head": 2, "vocab_size": 99, "n_positions": 128}
BIG_BIRD = {"model_type": "big_bird", **SMALL, "max_position_embeddings": 2048}
DECODER = {"model_type": "modernbert-decoder", **SMALL, "pad_token_id": 0, "layer_types": ["full_attention"] * 2}
DEEPSEEK = {
    "model_type": "deepseek_v2",
    **SMALL,
    **dict.fromkeys(("kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim", "q_lora_rank"), 16),
    "first_k_dense_replace": 2,
    "num_key_value_heads": 2,
}
PROPHETNET = {
    "model_type": "prophetnet",
    "hidden_size": 32,
    "vocab_size": 99,
    **dict.fromkeys(("num_decoder_layers", "num_encoder_layers", "num_decoder_attention_heads"), 2),
    **dict.fromkeys(("decoder_ffn_dim", "encoder_ffn_dim"), 64),
    "num_encoder_attention_heads": 2,
    "ngram": 2,
}
GIT = {"model_type": "git", **SMALL, "vision_config": {**SMALL, "image_size": 32, "patch_size": 16}}


def test_buffers_are_those_behind_a_first_pass(recorded_once):
    """CTRL's table of positions is in fp32 until its first pass casts it."""
    assert recorded_once(CTRL)["buffers"]["2"] == 2 * CTRL["n_positions"] * CTRL["n_embd"]


@pytest.mark.long
def test_a_model_that_short_rows_switch_is_refused(recorded_once):
    with pytest.raises(RecordingError, match="attention_type from block_sparse to original_full"):
        recorded_once(BIG_BIRD)
    assert recorded_once({**BIG_BIRD, "attention_type": "original_full"})["kinds"]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("config", [DECODER, GIT])
def test_layers_are_those_that_text_reaches(config, recorded_once):
    assert len(recorded_once(config)["kinds"]) == config["num_hidden_layers"]


def test_a_head_that_computes_more_than_the_tokens_is_refused(recorded_once):
    """ProphetNet predicts several tokens ahead, each with logits of its own."""
    with pytest.raises(RecordingError, match="computes 46 positions for 23 tokens"):
        recorded_once(PROPHETNET)


def test_infinity_is_read_as_transformers_writes_it():
    from hbspec.recording.build import decoded

    assert decoded({"limits": [0.0, {"__float__": "Infinity"}]}) == {"limits": [0.0, float("inf")]}


def test_complex_numbers_lead_to_the_input(recorded_once):
    """DeepSeek-V2 turns queries and keys as complex numbers, whose gradients are complex."""
    file = recorded_once(DEEPSEEK)
    rows = [row for program in file["programs"] for row in program["operators"] if row["name"] == "view_as_real"]
    assert rows
    assert all(row.get("ways") for row in rows)


def test_dtypes_in_which_a_model_does_not_run_leave_the_others():
    """The CPU has no product of fused experts in fp32."""
    from hbspec.recording.files import recorded
    from hbspec.recording.record import REGIMES
    from hbspec.recording.source import Source

    config = {"model_type": "olmoe", **SMALL, "num_experts": 4, "num_experts_per_tok": 2}
    file = recorded(Source(config, {}), (REGIMES[0], REGIMES[5]))
    assert "2 autocast" in file["variants"]
