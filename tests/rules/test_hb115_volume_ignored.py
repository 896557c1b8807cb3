"""HB115: a volume beside NVMe."""

from __future__ import annotations

from judged import edge, judged


def test_edge(tmp_path):
    edge("HB115", "", "instance.volume", None, "1 B", tmp_path)  # any size is one too many


def test_both_sizes_are_named(tmp_path):
    (found,) = judged("HB115", "instance: {volume: 500 GB}", tmp_path)
    assert found.message == "volume 500 GB has no effect: ml.p4d.24xlarge uses its 8.00 TB of NVMe instead"


def test_a_type_that_is_not_known_to_have_nvme_may_need_its_volume(tmp_path):
    assert (
        judged("HB115", "model: {id: Qwen/Qwen2.5-7B}\ninstance: {type: ml.p3.2xlarge, volume: 1 GB}", tmp_path) == []
    )
