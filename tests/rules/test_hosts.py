"""Boundaries and messages of the rules on what lies beside the GPUs: HB125 and HB126."""

from __future__ import annotations

import pytest
from judged import judged

from hbspec.api import estimate

OWN = "instance: {type: null, gpu: A100-40, gpus: 8, host_memory: %s}"
ON_NVME = """
model: {id: Qwen/Qwen2.5-7B}
instance: {type: ml.g5.xlarge, parallelism: single}
hyperparameters: {lora_r: 64, save_steps: 1, save_total_limit: %s}
"""


class TestHostMemory:
    def test_eight_processes_need_eight_gigabytes_at_least(self, tmp_path):
        (found,) = judged("HB125", OWN % "7 GB", tmp_path)
        assert (found.route, found.severity) == (("instance", "host_memory"), "error")
        assert found.message.startswith("loading the model needs 8.00 GB to 60.5 GB (expected 36.5 GB) of the host's")
        assert found.message.endswith("most of it processes; it has 7.00 GB (6.52 GiB)")

    def test_in_between_is_a_warning(self, tmp_path):
        (found,) = judged("HB125", OWN % "8 GB", tmp_path)
        assert (found.severity, found.confidence) == ("warning", "likely")
        assert "may need" in found.message

    def test_enough_is_enough(self, tmp_path):
        assert judged("HB125", OWN % "61 GB", tmp_path) == []

    def test_what_is_not_known_is_not_judged(self, tmp_path):
        assert judged("HB125", "instance: {type: null, gpu: A100-40, gpus: 8}", tmp_path) == []

    def test_offload_is_what_to_lessen_where_it_is_what_there_is(self, tmp_path):
        fragment = (
            "instance: {parallelism: zero3, offload: all}\nhyperparameters: {method: full}\n"
            "model: {id: Qwen/Qwen2.5-72B}\n"
        )
        (found,) = judged("HB125", fragment, tmp_path)
        assert found.route == ("instance", "type")
        assert found.message.startswith("training may need 1.03 TB to 2.01 TB (expected 1.33 TB) of the host's memory")
        assert "most of it offloaded optimizer; it has 1.24 TB" in found.message
        assert found.help == "use less offload"


class TestLocalDisk:
    def test_three_checkpoints_fit_where_three_hundred_do_not(self, tmp_path):
        (found,) = judged("HB126", ON_NVME % 300, tmp_path)
        assert (found.route, found.severity, found.confidence) == (("instance", "type"), "error", "certain")
        assert "checkpoints 291 GB" in found.message
        assert found.message.endswith("ml.g5.xlarge has 250 GB of NVMe")
        assert found.help == "keep fewer checkpoints"
        assert judged("HB126", ON_NVME % 3, tmp_path) == []

    def test_the_checkpoint_that_is_written_before_one_is_deleted_may_be_too_much(self, tmp_path):
        each, around = 3 * 2 * 161_480_704, 15_231_233_024 + 2 * 161_480_704
        most = (250 * 10**9 - around) // each
        (found,) = judged("HB126", ON_NVME % most, tmp_path)
        assert (found.severity, found.confidence) == ("warning", "likely")
        assert "may take" in found.message

    def test_volumes_are_another_rule_s(self, tmp_path):
        fragment = "model: {id: Qwen/Qwen2.5-7B}\ninstance: {type: ml.p3.2xlarge, volume: 10 GB}"
        assert judged("HB126", fragment, tmp_path) == []
        assert len(judged("HB114", fragment, tmp_path)) == 1

    @pytest.mark.parametrize("name", ["ml.p3.2xlarge", "ml.p3.8xlarge"])
    def test_the_estimate_says_of_a_volume_what_the_check_says(self, tmp_path, name):
        """Whether they have local storage is not known: neither is sure."""
        fragment = f"model: {{id: Qwen/Qwen2.5-7B}}\ninstance: {{type: {name}, parallelism: single, volume: 10 GB}}"
        (found,) = judged("HB114", fragment, tmp_path)
        assert (found.severity, found.confidence) == ("warning", "likely")
        assert f"whether {name} has local storage as well is not known" in found.message
        assert estimate(tmp_path / "spec.yaml").storage.verdict == "tight"
