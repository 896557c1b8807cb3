"""HB133: an alternative with another effective batch size or another number format."""

from __future__ import annotations

from judged import edge, judged

FREE = "model: {id: Qwen/Qwen2.5-1.5B}\nbudget: null\ninstance: {type: ml.g5.12xlarge, max_runtime: 20h"


def test_the_edge_is_the_number_of_gpus(tmp_path):
    fragment = FREE + "}\nhyperparameters: {gradient_accumulation_steps: 8}"
    edge("HB133", fragment, "instance.alternatives", ["ml.g6.12xlarge"], ["ml.g5.48xlarge"], tmp_path)


def test_the_accumulation_that_keeps_the_batch_is_named(tmp_path):
    fragment = FREE + ", alternatives: [ml.g5.48xlarge]}\nhyperparameters: {gradient_accumulation_steps: 8}"
    (found,) = judged("HB133", fragment, tmp_path)
    assert found.message == "on ml.g5.48xlarge, the effective batch size is 64, and 32 on ml.g5.12xlarge"
    assert found.help == "give ml.g5.48xlarge a spec of its own with gradient_accumulation_steps: 4, or remove it"


def test_a_batch_that_the_gpus_cannot_share(tmp_path):
    fragment = FREE + ", alternatives: [ml.g5.48xlarge]}\nhyperparameters: {gradient_accumulation_steps: 3}"
    (found,) = judged("HB133", fragment, tmp_path)
    assert found.help == "remove ml.g5.48xlarge from the alternatives, or give it a spec of its own"


def test_the_edge_of_the_number_format(tmp_path):
    edge("HB133", FREE + "}", "instance.alternatives", ["ml.g6.12xlarge"], ["ml.g4dn.12xlarge"], tmp_path)


def test_float16_on_both_is_the_same(tmp_path):
    fragment = FREE + ", alternatives: [ml.g4dn.12xlarge]}\nhyperparameters: {fp16: true}"
    assert judged("HB133", fragment, tmp_path) == []


def test_one_process_has_one_batch_on_any_number_of_gpus(tmp_path):
    fragment = FREE + ", parallelism: single, alternatives: [ml.g6e.2xlarge]}"
    assert judged("HB133", fragment, tmp_path) == []


def test_without_a_known_first_choice_nothing_is_compared(tmp_path):
    fragment = FREE.replace("ml.g5.12xlarge", "ml.g5.13xlarge") + ", alternatives: [ml.g4dn.12xlarge]}"
    assert judged("HB133", fragment, tmp_path) == []
