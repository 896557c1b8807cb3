"""Records: what the ranks of a job wrote down on GPUs, and what a spec that names the record makes of it."""

from __future__ import annotations

import pytest
from made_records import SPEC, with_record

from hbspec.api import estimate
from hbspec.measure import at_hand
from hbspec.measure.gpus import GpuAtHand, MachineAtHand
from hbspec.measure.job import Ran
from hbspec.measure.record import record_of
from hbspec.measure.rows import schedule
from hbspec.plan.measurement_file import read_measurement
from hbspec.plan.shipped_script import SOFTWARE

GB = 10**9
A10G = GpuAtHand("NVIDIA A10G", 23_600_845_291, 40_000_000)


def update(seconds: float, tokens: int = 600, real: int = 600, rows: int = 2) -> dict:
    squares = rows * (tokens // rows) ** 2
    return {
        "seconds": seconds,
        "tokens": tokens,
        "real_tokens": real,
        "rows": rows,
        "squares": squares,
        "longest": tokens // rows,
    }


def rank(*seconds: float, device: int = 0, ran_out: str | None = None, process: float = 3.5 * GB) -> dict:
    """What a rank saw: three updates to warm up, and others that took so long."""
    sizes = {"total_bytes": A10G.total, "allocated_bytes": 2 * GB, "reserved_bytes": 3 * GB}
    return {
        "software": {**SOFTWARE, "torch": "2.13.0"},
        "devices": [{"index": device, **sizes, "process_bytes": round(process)}],
        "host_bytes": 4 * GB,
        "updates": [update(9.0)] * 3 + [update(one) for one in seconds],
        "ran_out": ran_out,
    }


def recorded(*ranks: dict, gpus=(A10G,), spec=SPEC, overrides=()):
    estimates = estimate(spec, overrides=(*at_hand.on_gpus(spec, gpus), *overrides))
    machine = MachineAtHand(gpus, "2.13.0", "12.8", "570.133.20")
    given = schedule(estimates.plan, len(ranks), 3)
    return record_of(Ran(ranks), given, estimates, machine, "2026-12-01")


@pytest.fixture(scope="module")
def one():
    return recorded(rank(0.10, 0.12, 0.11))


def test_what_was_seen_stands_beside_what_was_predicted(one):
    assert [entry["seconds"] for entry in one["found"]["updates"]] == [0.10, 0.12, 0.11]
    assert one["found"]["warm_up_updates"] == 3
    assert one["found"]["tokens_per_second_per_gpu"] == pytest.approx(600 / 0.11)
    assert one["place"] == {
        "gpu": "A10G",
        "named": ["NVIDIA A10G"],
        "driver": "570.133.20",
        "cuda": "12.8",
    }
    predicted = estimate(SPEC)
    assert one["predicted"]["step_seconds"] == predicted.time.step_seconds.to_dict()
    assert one["predicted"]["verdict"] == "fits"
    (device,) = one["predicted"]["devices"]
    assert device["process_bytes"] == predicted.memory.devices[0].process.map(round).to_dict()


def test_what_others_held_before_is_not_the_job_s(one):
    (device,) = one["found"]["devices"]
    assert device["process_bytes"] == 3.5 * GB - 40_000_000
    assert device["others_bytes"] == 40_000_000


def test_a_process_holds_its_reserve_whatever_others_let_go_of():
    (device,) = recorded(rank(0.1, 0.1, 0.1), gpus=(A10G._replace(used=2 * GB),))["found"]["devices"]
    assert device["process_bytes"] == device["reserved_bytes"]


def test_the_record_calibrates_the_spec_that_was_measured(one, tmp_path):
    estimates = with_record(one, tmp_path)
    assert estimates.plan.measured.differences == ()
    assert estimates.time.step_seconds.expected == pytest.approx(0.11)
    assert estimates.memory.devices[0].process.expected == 3.5 * GB - 40_000_000


def test_a_job_measured_on_another_gpu_is_recorded_as_what_it_is(tmp_path):
    """The spec names an A10G, and an H200 is at hand: predicted for that, and of no use to the spec."""
    h200 = GpuAtHand("NVIDIA H200", 150_023_207_649, 0)
    record = recorded(rank(0.10, 0.12, 0.11), gpus=(h200,))
    assert (record["place"]["gpu"], record["conditions"]["gpu"]) == ("H200-141", "H200-141")
    estimates = with_record(record, tmp_path)
    assert estimates.plan.measured.differences == ("gpu: H200-141 measured, A10G in this job",)
    on_it = estimate(SPEC, overrides=at_hand.on_gpus(SPEC, (h200,)))
    assert record["predicted"]["step_seconds"] == on_it.time.step_seconds.to_dict()


def test_ranks_together(tmp_path):
    """The slowest rank's seconds, the mean of the tokens, and every GPU."""
    spec = {**SPEC, "instance": {"type": "ml.g5.12xlarge", "parallelism": "ddp"}}
    ranks = [rank(0.20 + number / 100, 0.2, 0.2, device=number) for number in range(4)]
    record = recorded(*ranks, gpus=(A10G,) * 4, spec=spec)
    assert [entry["seconds"] for entry in record["found"]["updates"]] == [0.23, 0.2, 0.2]
    assert [device["index"] for device in record["found"]["devices"]] == [0, 1, 2, 3]
    assert record["found"]["tokens_per_second_per_gpu"] == pytest.approx(3 * 600 / 0.63)
    estimates = with_record(record, tmp_path, spec=spec)
    assert estimates.plan.measured.differences == ()
    assert estimates.time.step_seconds.expected == pytest.approx(0.21)
    assert estimates.time.tokens_per_second_per_gpu.expected == pytest.approx(600 / 0.21)


def test_fewer_gpus_than_the_spec_has_are_another_job(tmp_path):
    spec = {**SPEC, "instance": {"type": "ml.g5.12xlarge", "parallelism": "ddp"}}
    record = recorded(rank(0.2, 0.2, 0.2), rank(0.2, 0.2, 0.2, device=1), gpus=(A10G,) * 2, spec=spec)
    assert with_record(record, tmp_path, spec=spec).plan.measured.differences == ("gpus: 2 measured, 4 in this job",)


def test_out_of_memory_is_recorded_as_what_it_is(tmp_path):
    record = recorded({**rank(ran_out="in update 2"), "updates": [update(9.0)]})
    assert record["found"]["ran_out"] == "in update 2"
    assert record["found"]["updates"] == []
    assert read_measurement(record).ran_out == "in update 2"
    estimates = with_record(record, tmp_path)
    assert str(estimates.memory.verdict) == "does_not_fit"


def test_rows_are_those_that_were_seen(one):
    assert one["rows"] == {"longest": 300, "tokens": 600.0, "unevenness": pytest.approx(1.0), "alike": True}
    accumulated = {**rank(), "updates": [update(9.0)] * 3 + [update(0.9, tokens=2400, real=2000, rows=8)] * 3}
    record = recorded(accumulated, overrides=["hyperparameters.gradient_accumulation_steps=4"])
    assert record["rows"]["tokens"] == 600.0
    assert record["found"]["tokens_per_second_per_gpu"] == pytest.approx(2000 / 0.9)
