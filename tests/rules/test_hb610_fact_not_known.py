"""HB610: facts that are missing."""

from __future__ import annotations

from judged import edge, found_by, judged

WITHOUT = "data: {train: {examples: null}}"


def test_the_edge_is_the_number_of_examples(tmp_path):
    edge("HB610", WITHOUT, "data.train.examples", 2198, None, tmp_path)


def test_the_edge_is_a_gpu_that_the_catalog_describes(tmp_path):
    by_hand = "instance: {type: null, gpu: A100-40, gpus: 8, host_memory: 1 TiB}\nbudget: null"
    edge("HB610", by_hand, "instance.gpu", "A100-40", "RTX PRO 4500", tmp_path)


def test_it_is_a_note(tmp_path):
    (found,) = judged("HB610", WITHOUT, tmp_path)
    assert found.severity == "note"


def test_a_claim_says_it_at_its_own_line(tmp_path):
    assert judged("HB610", f"{WITHOUT}\nexpect: {{training.epochs: 4.4}}", tmp_path) == []


def test_a_gpu_of_an_alternative(tmp_path):
    (found,) = found_by("HB610", "deployment: {instance: {alternatives: [ml.g7.12xlarge]}}", tmp_path)
    assert found.route == ("deployment", "instance", "alternatives", 0)
    assert "RTX PRO 4500" in found.message
