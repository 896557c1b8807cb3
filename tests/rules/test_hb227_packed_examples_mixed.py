"""HB227: packed examples that nothing keeps apart."""

from __future__ import annotations

from judged import edge, found_by, judged

PACKED = "hyperparameters: {packing: true, attn_implementation: %s}\nsoftware: {trl: %s, transformers: %s}"


def test_edge_of_trl(tmp_path):
    edge("HB227", PACKED % ("sdpa", "0.24.0", "4.54.0"), "software.trl", "0.24.0", "0.23.1", tmp_path)


def test_edge_of_transformers(tmp_path):
    # HB260 finds both too old for this TRL
    assert found_by("HB227", PACKED % ("sdpa", "0.24.0", "4.53.3"), tmp_path)
    assert not found_by("HB227", PACKED % ("sdpa", "0.24.0", "4.54.0"), tmp_path)


def test_edge_of_the_kernel(tmp_path):
    packed = PACKED % ("sdpa", "0.19.1", "4.53.0")
    edge("HB227", packed, "hyperparameters.attn_implementation", "flash_attention_2", "sdpa", tmp_path)


def test_edge_of_rows_that_stay_rows(tmp_path):
    packed = PACKED % ("sdpa", "0.19.1", "4.53.0")
    edge("HB227", packed, "hyperparameters.packing_strategy", "wrapped", "ffd", tmp_path)


def test_models_that_take_the_positions_for_those_of_images(tmp_path):
    (tmp_path / "train.py").write_text("", encoding="utf-8")
    own = "script: {entry_point: train.py}\nsoftware: {trainer: trl}\nhyperparameters: {packing: %s}\nmodel: {id: %s}"
    for model, number in (("Qwen/Qwen2.5-VL-7B-Instruct", 1), ("Qwen/Qwen3-VL-8B-Instruct", 0)):
        assert len(judged("HB227", own % ("true", model), tmp_path)) == number, model
        assert judged("HB227", own % ("false", model), tmp_path) == []
