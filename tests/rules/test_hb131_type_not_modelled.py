"""HB131: models of which only bounds are known."""

from __future__ import annotations

import json

import pytest
from judged import edge, judged

LFM3 = {
    "model_type": "lfm3",
    "hidden_size": 2048,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 8192,
    "vocab_size": 65536,
    "conv_L_cache": 3,
    "tie_word_embeddings": True,
}


def _config(tmp_path, **changed):
    (tmp_path / "config.json").write_text(json.dumps({**LFM3, **changed}))
    return "model: {id: our/own, config: ./config.json}"


def test_a_type_without_a_family_is_a_warning_with_both_ends(tmp_path):
    (found,) = judged("HB131", _config(tmp_path), tmp_path)
    assert (found.severity, found.route) == ("warning", ("model", "config"))
    assert found.message.startswith("hbspec has no exact model of this lfm3: its config allows ")
    assert found.help == "run `hbspec model add ./config.json`, and set model.config to the file that it writes"
    assert judged("HB031", _config(tmp_path), tmp_path) == []


def test_a_model_of_the_catalog_without_a_family(tmp_path):
    (found,) = judged("HB131", "model: {id: state-spaces/mamba-2.8b-hf}", tmp_path)
    assert found.route == ("model", "id")
    assert "`hbspec model add state-spaces/mamba-2.8b-hf`" in found.help


def test_edge(tmp_path):
    edge("HB131", "", "model.id", "Qwen/Qwen2.5-7B", "state-spaces/mamba-2.8b-hf", tmp_path)


def test_one_word_decides(tmp_path):
    """One word of the config decides: the same numbers as Llama's are counted exactly."""
    assert judged("HB131", _config(tmp_path, model_type="llama", max_position_embeddings=4096), tmp_path) == []
    assert len(judged("HB131", _config(tmp_path, model_type="llamas", max_position_embeddings=4096), tmp_path)) == 1


@pytest.mark.parametrize("missing", ["hidden_size", "num_hidden_layers", "vocab_size"])
def test_a_config_that_tells_nothing_of_the_size_stays_an_error(missing, tmp_path):
    assert judged("HB131", _config(tmp_path, **{missing: None}), tmp_path) == []
    (found,) = judged("HB031", _config(tmp_path, **{missing: None}), tmp_path)
    assert (found.severity, "hbspec model add" in found.help) == ("error", True)


@pytest.mark.parametrize(
    ("field", "value"), [("hidden_size", "2048"), ("vocab_size", -1), ("num_hidden_layers", 10**9)]
)
def test_a_wrong_number_is_named(field, value, tmp_path):
    (found,) = judged("HB031", _config(tmp_path, **{field: value}), tmp_path)
    assert field in found.message
    assert found.help == "correct this field"


def test_a_size_that_is_not_understood_is_not_guessed(tmp_path):
    assert judged("HB131", _config(tmp_path, memory_bank_size=4096), tmp_path) == []
    assert len(judged("HB031", _config(tmp_path, memory_bank_size=4096), tmp_path)) == 1
