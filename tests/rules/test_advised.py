"""What rules advise has to help, and what the estimates count has to have an effect."""

from __future__ import annotations

import pytest
from judged import found_by, judged

from hbspec.api import estimate


class TestAdvice:
    """A process on every GPU is advised only where it fits."""

    @pytest.mark.parametrize(
        ("instance", "advised"),
        [
            ("{type: ml.p4d.24xlarge, parallelism: pipeline}", "parallelism: ddp or fsdp"),
            ("{type: ml.g5.12xlarge, parallelism: pipeline}", "parallelism: fsdp "),
            ("{type: ml.g4dn.12xlarge, parallelism: pipeline}", "the job does not surely fit, under ddp or under fsdp"),
        ],
    )
    def test_idle_gpus(self, instance, advised, tmp_path):
        given = "hyperparameters: {max_length: 704, bf16: null, bnb_quant_type: nf4}"
        (found,) = judged("HB101", f"instance: {instance}\n{given}", tmp_path)
        assert advised in found.help

    def test_one_process_on_many(self, tmp_path):
        (found,) = judged("HB102", "instance: {type: ml.g5.12xlarge, parallelism: single}", tmp_path)
        assert "ddp with" not in found.help

    def test_several_instances(self, tmp_path):
        (found,) = judged("HB105", "instance: {type: ml.g5.12xlarge, parallelism: pipeline, count: 2}", tmp_path)
        assert found.help == "use parallelism: fsdp, to connect them and use every GPU"


@pytest.mark.parametrize(
    ("parallelism", "offload", "really"),
    [
        ("ddp", "all", "none"),
        ("single", "optimizer", "none"),
        ("zero2", "all", "optimizer"),
        ("zero3", "all", "all"),
        ("fsdp", "all", "all"),
    ],
)
def test_offload_counts_where_it_has_an_effect(parallelism, offload, really, tmp_path):
    fragment = f"instance: {{parallelism: {parallelism}, offload: {offload}}}"
    silent = [found for found in found_by("HB213", fragment, tmp_path) if found.route[-1] == "offload"]
    assert bool(silent) == (offload != really)
    plan = estimate(tmp_path / "spec.yaml", overrides=[f"instance.offload={really}"]).plan
    assert estimate(tmp_path / "spec.yaml").plan == plan
