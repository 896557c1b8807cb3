"""HB234: wrappers that `AutoModelForCausalLM` does not build."""

from __future__ import annotations

import pytest
from judged import edge, judged
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as BUILT

from hbspec.catalog.families import WRAPPERS
from hbspec.catalog.families.wrappers import REFUSED, TEXT, WHOLE


def test_edge(tmp_path):
    edge("HB234", "", "model.id", "Qwen/Qwen3-4B", "Qwen/Qwen3-VL-4B-Instruct", tmp_path)


def test_a_tower_that_is_loaded_is_no_error(tmp_path):
    assert judged("HB234", "model: {id: google/gemma-3-4b-it}", tmp_path) == []


def test_an_own_script_may_load_it(tmp_path):
    (tmp_path / "train.py").write_text("", encoding="utf-8")
    assert judged("HB234", "model: {id: Qwen/Qwen3-VL-4B-Instruct}\nscript: {entry_point: train.py}", tmp_path) == []


@pytest.mark.parametrize("model_type", WRAPPERS)
def test_what_is_built_is_said_of_every_wrapper(model_type):
    name = BUILT.get(model_type, "")
    said = WHOLE if name.endswith("ForConditionalGeneration") else TEXT if name.endswith("ForCausalLM") else REFUSED
    assert WRAPPERS[model_type].built == said
