from __future__ import annotations

import re
from pathlib import Path

import pytest
from planned import P4D, planned

from hbspec.catalog import catalog
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.constants import (
    DIGEST_BYTES_PER_SECOND,
    DIGESTED_BYTES,
    DOWNLOAD_BYTES_PER_SECOND,
    IMPORT_SECONDS,
    LOAD_BYTES_PER_SECOND,
    SAVE_BYTES_PER_SECOND,
    SAVE_SECONDS,
    VOLUME_BYTES_PER_SECOND,
)
from hbspec.estimators.job import phases
from hbspec.estimators.job.interruptions import interruptions
from hbspec.estimators.job.time import time
from hbspec.units import GB, HOUR, Interval

INSTANCES = catalog().instances
NVME = INSTANCES["ml.g5.2xlarge"]
VOLUME = NVME._replace(nvme_bytes=0)
OWN = {"type": None, "gpu": "A100-80", "gpus": 1, "parallelism": "single"}
SCRIPT = {"script": {"entry_point": "train.py"}}
MERGED = {**SCRIPT, "deployment": {"instance": {"type": "ml.g5.12xlarge"}, "adapters": "merged"}}
SMALL = "Qwen/Qwen2.5-7B"
SPOT = {**P4D, "parallelism": "ddp", "spot": True}
PHASES = {"image_pull": Interval.exact(100), "steps": Interval.exact(10 * HOUR), "startup": Interval.exact(1)}


def around(**changes):
    return phases.phases_around_steps(planned(**changes))


def without_copies(**changes):
    """A plan whose checkpoints stay on the instance."""
    return planned(**changes)._replace(checkpoints_survive=False)


def test_the_whole_of_a_published_run_lies_inside():
    # philschmid/llm-sagemaker-sample, train-evalaute-llms-2024-trl.ipynb: 13.5 GB on ml.g5.2xlarge, merged
    size = 13.5 * GB
    assert phases.startup().low <= 80 <= phases.startup().high
    assert phases.image_pull().low <= 171 + 36 + 20 + 19 <= phases.image_pull().high
    download = phases.weights_download(size, NVME)
    assert download.low <= 54 <= download.high
    assert phases.upload(size).low <= 41 <= phases.upload(size).high
    merged = phases.merge(size)
    assert merged.low < 131
    assert merged.high > 31


class TestDownload:
    def test_the_network_bounds_it(self):
        slow = NVME._replace(network_bits_per_second=8 * 0.2 * GB)
        found = phases.weights_download(20 * GB, slow)
        assert (found.low, found.expected) == (100, 100)
        assert found.high == pytest.approx(20 * GB / DOWNLOAD_BYTES_PER_SECOND.low)

    def test_the_disk_bounds_it(self):
        found = phases.weights_download(20 * GB, VOLUME)
        assert found.low == pytest.approx(20 * GB / VOLUME_BYTES_PER_SECOND.high)
        assert found.expected > phases.weights_download(20 * GB, NVME).expected

    def test_either_disk_where_it_is_not_known(self):
        known = [phases.weights_download(GB, NVME._replace(nvme_bytes=size)) for size in (0, 10**12)]
        unknown = phases.weights_download(GB, NVME._replace(nvme_bytes=None))
        assert unknown.low == min(found.low for found in known)
        assert unknown.high == max(found.high for found in known)

    def test_a_network_that_is_not_known_is_named(self):
        with pytest.raises(NotKnownError, match=r"network of ml\.g5\.2xlarge"):
            phases.weights_download(GB, NVME._replace(network_bits_per_second=None))


class TestLoad:
    HARDWARE = planned().hardware._replace(instance=VOLUME)

    def test_files_that_fit_into_memory_are_not_read_again(self):
        found = phases.load(10 * GB, self.HARDWARE)
        assert found.low == 10 * GB / LOAD_BYTES_PER_SECOND.high + IMPORT_SECONDS.low

    def test_others_come_from_the_disk(self):
        size = self.HARDWARE.host_memory + 1
        found = phases.load(size, self.HARDWARE)
        assert found.low == pytest.approx(size / VOLUME_BYTES_PER_SECOND.high + IMPORT_SECONDS.low)
        assert phases.load(size, self.HARDWARE._replace(host_memory=None)).low < found.low


class TestCheckpoints:
    def test_each_takes_as_long(self):
        last, often = (
            phases.phases_around_steps(without_copies(save_steps=every))["checkpoints"] for every in (300, 10)
        )
        assert often.expected == pytest.approx(30 * last.expected)

    def test_only_the_last_copy_is_waited_for(self):
        few, many = (
            around(save_steps=every)["checkpoints"].expected
            - phases.phases_around_steps(without_copies(save_steps=every))["checkpoints"].expected
            for every in (300, 10)
        )
        assert few == pytest.approx(many)
        assert few > 0

    def test_a_volume_is_slower_but_for_what_memory_caches(self):
        plan = planned(SMALL, method={"method": "full"}, save_steps=100)
        nvme, volume = (
            phases.checkpoints(plan, plan.hardware._replace(instance=instance)) for instance in (NVME, VOLUME)
        )
        assert volume.low == nvme.low
        assert volume.expected > 2 * nvme.expected

    def test_digests_are_taken_of_as_much_as_the_script_says(self):
        script = (Path(__file__).parents[2] / "templates/manifest.py").read_text()
        assert re.search("^DIGESTED_BYTES = (.*)$", script, re.MULTILINE)[1] == "256 * 2**20"
        assert DIGESTED_BYTES == 256 * 2**20

        def small(size):
            plan = planned(save_steps=300)._replace(checkpoint_bytes=size)
            return phases.checkpoints(plan, plan.hardware._replace(instance=None)).expected

        of_bytes = phases.duration(10**9, SAVE_BYTES_PER_SECOND).expected / 10**9
        digested = phases.duration(DIGESTED_BYTES, DIGEST_BYTES_PER_SECOND).expected
        assert small(DIGESTED_BYTES) == pytest.approx(SAVE_SECONDS.expected + DIGESTED_BYTES * of_bytes + digested)
        assert small(10**9) == pytest.approx(SAVE_SECONDS.expected + 10**9 * of_bytes + digested)

    def test_none_are_written_where_the_authors_script_writes_none(self):
        plan = planned(sections=SCRIPT)
        assert plan.training.save_steps is None
        assert phases.checkpoints(plan, plan.hardware) == Interval.exact(0)


class TestMerge:
    def test_only_the_authors_own_script_merges(self):
        assert "merge" in around(sections=MERGED)
        assert "merge" not in around(sections={"deployment": MERGED["deployment"]})
        assert "merge" not in around(sections=MERGED, method={"method": "full"})
        assert "merge" not in around(sections=SCRIPT)

    def test_what_is_merged_is_uploaded_whole(self):
        adapters, whole = around(model=SMALL, sections=SCRIPT), around(model=SMALL, sections=MERGED)
        assert list(whole)[-2:] == ["merge", "upload"]
        assert whole["upload"].expected > 10 * adapters["upload"].expected
        assert phases.result_bytes(planned(SMALL, sections=MERGED)) == 2 * 7_615_616_512

    def test_it_comes_after_the_steps(self):
        found = list(time(planned(sections=MERGED)).phases)
        assert found.index("steps") < found.index("checkpoints") < found.index("merge") < found.index("upload")


class TestInterruptions:
    def found(self, **changes):
        return interruptions(planned(**{"instance": SPOT, "save_steps": 30, **changes}), PHASES)

    def test_none_on_demand(self):
        assert interruptions(planned(), PHASES) == {}
        assert "lost_work" not in time(planned()).phases

    def test_half_a_segment_each_where_they_are_rare(self):
        lost = self.found()["lost_work"]
        assert lost.low == pytest.approx(0.0001 * 10 * 0.5 * HOUR, rel=1e-3)  # 0.001 times half of an hour
        assert lost.expected == pytest.approx(0.01 * 10 * 0.5 * HOUR, rel=0.01)

    def test_without_checkpoints_everything_so_far(self):
        lost = interruptions(without_copies(instance=SPOT, save_steps=30), PHASES)["lost_work"]
        assert lost.low == pytest.approx(0.0001 * 10 * 5 * HOUR, rel=1e-3)
        assert lost.high > 10 * self.found()["lost_work"].high

    def test_each_starts_again(self):
        found = self.found()
        assert found["restarts"].expected == pytest.approx(0.1 * 100, rel=0.01)
        assert found["spot_waits"].expected == pytest.approx(1.1 * 300, rel=0.01)

    def test_one_missing_instance_stops_all(self):
        one, four = (self.found(instance={**SPOT, "count": count})["restarts"] for count in (1, 4))
        assert four.low == pytest.approx(4 * one.low, rel=1e-3)

    def test_a_machine_of_ones_own_is_not_waited_for(self):
        without = {name: took for name, took in PHASES.items() if name != "startup"}
        assert "spot_waits" not in interruptions(planned(instance=SPOT), without)

    def test_a_job_that_never_ends_has_a_number_all_the_same(self):
        endless = {**PHASES, "steps": Interval.exact(10**6 * HOUR)}
        lost = interruptions(planned(instance=SPOT), endless)["lost_work"]
        assert 10**28 < lost.expected == lost.high < float("inf")

    def test_waiting_is_not_billed_and_lost_work_is(self):
        found = time(planned(instance=SPOT))
        phases_of = found.to_dict()["phases"]
        assert [phases_of[name]["billed"] for name in ("lost_work", "restarts", "spot_waits")] == [True, True, False]


def test_what_is_missing_is_named():
    with pytest.raises(NotKnownError, match="the trainable parameters"):
        phases.result_bytes(planned()._replace(adapter_bytes=None))
    with pytest.raises(NotKnownError, match="hardware"):
        phases.phases_around_steps(planned()._replace(hardware=None))


def test_hardware_of_ones_own_only_loads_and_saves():
    assert list(around(instance=OWN)) == ["load", "checkpoints"]
