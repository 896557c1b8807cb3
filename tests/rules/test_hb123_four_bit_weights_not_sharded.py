"""HB123: ZeRO-3 and quantised weights."""

from __future__ import annotations

from judged import edge, judged


def test_edge(tmp_path):
    edge("HB123", "", "instance.parallelism", "zero2", "zero3", tmp_path)


def test_weights_that_are_not_quantised_are_sharded(tmp_path):
    assert judged("HB123", "instance: {parallelism: zero3}\nhyperparameters: {method: lora}", tmp_path) == []


def test_what_is_not_sharded_is_named(tmp_path):
    (found,) = judged("HB123", "instance: {parallelism: zero3}", tmp_path)
    assert found.message == "parallelism: zero3 does not shard nf4 weights: every GPU holds a full copy"
