"""Estimates that rest on a record: what was measured is replaced, nothing else changes, nothing becomes too narrow."""

from __future__ import annotations

import json
from typing import Any

import pytest
from made_records import SPEC, changed, record_of_estimate, with_record

from hbspec.api import estimate
from hbspec.estimators.constants import MEASURED_ERROR, MEASURED_RESERVE_ERROR
from hbspec.estimators.training.memory import memory, memory_verdict
from hbspec.estimators.verdict import Verdict
from hbspec.render.estimates import estimate_lines

UNEVEN = {**SPEC, "data": {"train": {"examples": 1000}, "tokens": {"mean": 200, "max": 500}}}
FOLLOWS_FROM_SPEED = ("time.", "cost.")
"""What the time of a step decides: phases and the bill."""


@pytest.fixture(scope="module")
def estimated():
    return estimate(SPEC)


@pytest.fixture(scope="module")
def record(estimated):
    return record_of_estimate(estimated)


def flat(value: Any, above: str = "") -> dict[str, Any]:
    """All plain values by their dotted place."""
    if isinstance(value, dict) and value:
        return {name: leaf for key, part in value.items() for name, leaf in flat(part, f"{above}{key}.").items()}
    if isinstance(value, list) and value:
        return flat({str(index): part for index, part in enumerate(value)}, above)
    return {above: value}


def differing(one: Any, other: Any) -> set[str]:
    before, after = (flat(json.loads(json.dumps(each.to_dict()))) for each in (one, other))
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def test_speed_alone_changes_what_follows_from_speed(estimated, record, tmp_path):
    def without_memory(values):
        values["found"]["devices"] = []

    measured = with_record(changed(record, without_memory), tmp_path)
    keys = differing(estimated, measured)
    assert {key for key in keys if not key.startswith(("calibration.", *FOLLOWS_FROM_SPEED))} == set()
    assert "time.step_seconds.expected." in keys
    around = {"startup", "image_pull", "weights_download", "data_download", "load", "checkpoints", "upload"}
    assert {name: measured.time.phases[name] for name in around} == {
        name: estimated.time.phases[name] for name in around
    }


def test_memory_alone_changes_reserve_and_process(estimated, record, tmp_path):
    def other_lengths(values):
        values["rows"]["tokens"] *= 2

    measured = with_record(changed(record, other_lengths), tmp_path)
    assert (measured.plan.measured.speed, measured.plan.measured.memory) == (False, True)
    keys = {key for key in differing(estimated, measured) if not key.startswith("calibration.")}
    assert keys
    assert {key.rpartition("bytes.")[0] for key in keys} == {
        f"memory.devices.0.{name}_" for name in ("peak_reserved", "process")
    }


def test_a_record_that_does_not_apply_changes_nothing_but_what_is_said(record, tmp_path):
    override = "hyperparameters.lora_r=8"
    keys = differing(estimate(SPEC, overrides=[override]), with_record(record, tmp_path, override))
    assert keys
    assert all(key.startswith("calibration.") for key in keys)


def test_the_step_spans_the_updates_and_the_margin(record, tmp_path):
    step = with_record(record, tmp_path).time.step_seconds
    assert step.expected == pytest.approx((0.100 + 0.110 + 0.104) / 3)
    assert step.low == pytest.approx(0.100 * MEASURED_ERROR.low)
    assert step.high == pytest.approx(0.110 * MEASURED_ERROR.high)


def test_rates_are_of_real_tokens(record, tmp_path):
    found = with_record(record, tmp_path).time
    assert found.tokens_per_second_per_gpu.expected == pytest.approx(600 / found.step_seconds.expected)


def test_other_lengths_widen_the_speed_by_their_ratio(record, tmp_path):
    """1.2 times as many tokens take between as long (launches alone) and 1.44 times as long (attention alone)."""
    step = with_record(record, tmp_path, "data.tokens={mean: 360, max: 360}").time.step_seconds
    assert step.low == pytest.approx(0.100 * MEASURED_ERROR.low)
    assert step.expected == pytest.approx(1.2 * (0.100 + 0.110 + 0.104) / 3)
    assert step.high == pytest.approx(1.44 * 0.110 * MEASURED_ERROR.high)


def test_accumulated_updates_take_as_long_as_they_were_measured_to(tmp_path):
    spec = {**SPEC, "hyperparameters": {**SPEC["hyperparameters"], "gradient_accumulation_steps": 4}}
    record = record_of_estimate(estimate(spec), seconds=(0.400, 0.420, 0.410))
    assert with_record(record, tmp_path, spec=spec).time.step_seconds.expected == pytest.approx(0.410)


def test_memory_is_what_was_measured_with_its_margin(record, tmp_path):
    (device,) = with_record(record, tmp_path).memory.devices
    found = record["found"]["devices"][0]
    assert device.peak_reserved.expected == found["reserved_bytes"]
    assert device.process.expected == found["process_bytes"]
    off = MEASURED_RESERVE_ERROR * found["reserved_bytes"]
    assert device.peak_reserved.low == pytest.approx(found["reserved_bytes"] - off, abs=1)
    assert device.peak_reserved.high == pytest.approx(found["reserved_bytes"] + off, abs=1)
    assert device.process.high - device.process.low > 2 * off


def test_where_rows_differ_the_low_end_stays_that_of_another_order(tmp_path):
    """A reserve is measured in the order of rows that reserves most."""
    before = estimate(UNEVEN)
    record = record_of_estimate(before)
    (device,), (was,) = with_record(record, tmp_path, spec=UNEVEN).memory.devices, before.memory.devices
    assert device.peak_reserved.expected == record["found"]["devices"][0]["reserved_bytes"]
    assert (device.peak_reserved.low, device.process.low) == (was.peak_reserved.low, was.process.low)


def test_a_reserve_below_the_tensors_is_not_believed(estimated, record, tmp_path):
    def little(values):
        values["found"]["devices"][0] |= {"allocated_bytes": 10**8, "reserved_bytes": 10**8}

    found = with_record(changed(record, little), tmp_path)
    assert found.plan.measured.speed
    (said,) = found.plan.measured.not_memory
    assert said.startswith("GPU 0: 100 MB reserved were measured, but the tensors of this job take at least 1")
    assert found.memory == estimated.memory


def test_a_speed_above_the_gpu_s_peak_is_not_believed(estimated, record, tmp_path):
    def fast(values):
        values["found"]["updates"][0]["seconds"] = 0.001

    found = with_record(changed(record, fast), tmp_path)
    assert found.plan.measured.memory
    (said,) = found.plan.measured.not_speed
    assert said.startswith("speed: 600,000 tokens/s of a process measured, but this GPU computes at most")
    assert found.time == estimated.time


@pytest.mark.parametrize(("spec", "verdict"), [(SPEC, Verdict.DOES_NOT_FIT), (UNEVEN, Verdict.TIGHT)])
def test_a_job_that_ran_out_of_memory_does_not_fit(spec, verdict, tmp_path):
    """Certainly where all rows have one length; in another order of rows it may fit."""

    def ran_out(values):
        values["found"] |= {"ran_out": "in update 2", "updates": []}

    found = with_record(changed(record_of_estimate(estimate(spec)), ran_out), tmp_path, spec=spec)
    assert found.plan.measured.not_speed == ("no update was timed: the job ran out of memory",)
    assert found.memory.verdict is verdict
    assert memory_verdict(found.plan) is verdict
    (device,) = found.memory.devices
    assert device.expected_to_fail
    assert device.peak_reserved == estimate(spec).memory.devices[0].peak_reserved


def test_longer_rows_run_out_too_and_shorter_ones_may_not(record, tmp_path):
    def ran_out(values):
        values["found"] |= {"ran_out": "in update 2", "updates": []}

    values = changed(record, ran_out)
    longer = with_record(values, tmp_path, "data.tokens={mean: 400, max: 400}")
    shorter = with_record(values, tmp_path, "data.tokens={mean: 200, max: 200}")
    assert longer.memory.verdict is Verdict.DOES_NOT_FIT
    assert shorter.memory.verdict is Verdict.FITS


def test_a_model_of_no_family(tmp_path):
    config = {
        "model_type": "lfm3",
        "hidden_size": 1024,
        "num_hidden_layers": 8,
        "num_attention_heads": 16,
        "num_key_value_heads": 4,
        "intermediate_size": 4096,
        "vocab_size": 32000,
        "tie_word_embeddings": True,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    spec = {**SPEC, "model": {"id": "our/own", "config": "./config.json"}}
    (tmp_path / "plain.yaml").write_text(json.dumps(spec))
    before = estimate(tmp_path / "plain.yaml")
    record = record_of_estimate(before, seconds=(1.0, 1.1, 1.05))
    found = with_record(record, tmp_path, spec=spec)
    assert found.plan.measured.differences == ()
    assert found.time.step_seconds.expected == pytest.approx(1.05)
    assert found.memory.devices[0].process.expected == record["found"]["devices"][0]["process_bytes"]
    assert memory(found.plan) == found.memory


def text_of(estimates) -> str:
    return "\n".join("".join(text for _, text in line) for line in estimate_lines(estimates, 100))


def test_the_page_says_what_it_rests_on(record, tmp_path):
    page = text_of(with_record(record, tmp_path))
    assert "Measured: speed and memory\n  record  3 updates  of 2026-12-01 on A10G\n" in page
    other = text_of(with_record(record, tmp_path, "hyperparameters.lora_r=8"))
    assert "Measured: nothing of it is used\n" in other
    assert "  speed   estimated  lora_r: 16 measured, 8 in this job\n" in other
    assert "Measured" not in text_of(estimate(SPEC))


def test_the_json_says_what_it_rests_on(record, tmp_path):
    assert with_record(record, tmp_path).to_dict()["calibration"] == {
        "day": "2026-12-01",
        "gpu": "A10G",
        "updates": 3,
        "ran_out": None,
        "speed": True,
        "memory": True,
        "not_speed": [],
        "not_memory": [],
    }
    assert estimate(SPEC).to_dict()["calibration"] is None


def test_changes_are_compared_with_the_estimate_and_not_with_the_measurement(tmp_path):
    """A job that was measured to take ten times as long gets no advice that a change makes it ten times faster."""
    estimates = estimate(SPEC)
    slow = tuple(10 * estimates.time.step_seconds.expected for _ in range(3))
    found = with_record(record_of_estimate(estimates, seconds=slow), tmp_path)
    assert found.time.step_seconds.expected == pytest.approx(slow[0])
    assert [outcome.to_dict() for outcome in found.advice.outcomes] == [
        outcome.to_dict() for outcome in estimates.advice.outcomes
    ]
    assert found.advice.now.burden.time == estimates.time
