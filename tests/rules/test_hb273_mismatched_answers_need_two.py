"""HB273: KTO's micro-batch of one example."""

from __future__ import annotations

from judged import codes, edge

LABELLED = "task: kto\ndata: {type: unpaired_preference}\nhyperparameters: {gradient_accumulation_steps: 2}\n"


def test_the_edge_is_two_examples(tmp_path):
    edge("HB273", LABELLED, "hyperparameters.per_device_batch_size", 2, 1, tmp_path)


def test_a_loss_without_a_divergence_needs_one(tmp_path):
    alone = "task: kto\ndata: {type: unpaired_preference}\nhyperparameters: {loss_type: apo_zero_unpaired}"
    assert codes(alone, tmp_path) == set()
