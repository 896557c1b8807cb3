from __future__ import annotations

import json

import pytest
from made_logs import SPEC, done_line, estimates_of, run_line, seen, stamped, update_line, whole_log

from hbspec.api import estimate
from hbspec.plan.measurement_file import read_measurement
from hbspec.watching.record import recorded


def record_of(lines, estimates=None):
    estimates = estimates or estimates_of()
    return recorded(estimates, seen(lines, estimates))


def test_a_record_is_read_as_one_of_measure():
    made = record_of(stamped(whole_log()))
    assert made.lacking == ()
    measured = read_measurement(json.loads(json.dumps(made.values)))
    assert (measured.day, measured.gpu, measured.ran_out) == ("2026-12-01", "A10G", None)
    assert len(measured.updates) == 57, "three warm up"
    assert measured.updates[0] == (600.0, 0.15)
    assert measured.rows == (300, 600.0, 1.0, True)
    (device,) = measured.devices
    assert device == (0, 23_600_000_000, None, 1_225_000_000, 1_310_000_000, 1_900_000_000)


def test_it_applies_to_the_spec_that_names_it(tmp_path):
    (tmp_path / "record.json").write_text(json.dumps(record_of(whole_log()).values))
    (tmp_path / "bot.yaml").write_text(json.dumps({**SPEC, "calibration": {"record": "./record.json"}}))
    found = estimate(tmp_path / "bot.yaml")
    assert found.plan.measured.differences == ()
    assert found.time.step_seconds.low <= 0.15 <= found.time.step_seconds.high
    assert found.time.step_seconds.high < 0.2


def test_rows_of_different_lengths_say_nothing_about_memory():
    lines = [run_line(), *(update_line(step, tokens=500.0 + step, longest=280 + step % 20) for step in range(1, 61))]
    made = record_of(lines)
    assert made.values["found"]["devices"] == []
    assert made.values["rows"]["longest"] == 299
    assert any("rows differ in length" in reason for reason in made.lacking)
    assert read_measurement(dict(made.values)).rows.alike is False


def test_the_unevenness_of_all_rows():
    """Two rows of an update: 100 and 300 tokens in one micro-batch each, then 200 and 200."""
    spec = {**SPEC["hyperparameters"], "per_device_batch_size": 1, "gradient_accumulation_steps": 2}
    run = run_line(micro_batch=1, accumulation=2)
    uneven = {"tokens": 400.0, "longest": 300, "unevenness": 2 * (100**2 + 300**2) / 400**2}
    even = {"tokens": 400.0, "longest": 200, "unevenness": 1.0}
    lines = [run, *(update_line(step, **(uneven if step % 2 else even)) for step in range(1, 61))]
    estimates = estimates_of(hyperparameters=spec)
    made = record_of(lines[:-1], estimates)
    rows = made.values["rows"]
    of_uneven = len([update for update in made.values["found"]["updates"] if update["longest"] == 300])
    count = len(made.values["found"]["updates"])
    squares = of_uneven * (100**2 + 300**2) + (count - of_uneven) * 2 * 200**2
    assert rows["tokens"] == 200.0
    assert rows["unevenness"] == pytest.approx(squares / (2 * count) / 200**2, rel=1e-5)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (whole_log()[1:], "the line `hbspec: run {…}`"),
        ([run_line(settings={}), *whole_log()[1:]], "the line `hbspec: run {…}`"),
        ([run_line(gpus=[]), *whole_log()[1:]], "a GPU: the job ran on a CPU"),
        ([run_line(ranks=2), *whole_log()[1:]], "the log is of another job: processes"),
        (whole_log(tokens=None, longest=None, unevenness=None), "the tokens computed in an update"),
        (whole_log(tokens=0.0), "numbers of tokens"),
        (whole_log(unevenness=0.5), "numbers of tokens"),
        ([run_line(), *(update_line(step) for step in range(10, 61, 10))], "single updates"),
        (whole_log()[:6], "at least 3 timed updates"),
        ([], "the line `hbspec: run {…}`"),
    ],
)
def test_what_is_lacking_is_said_and_nothing_is_written(lines, said):
    made = record_of(lines)
    assert made.values is None
    assert any(reason.startswith(said) for reason in made.lacking)


def test_without_reserved_memory_only_speed_is_recorded():
    made = record_of(whole_log(gpu_reserved_bytes=None))
    assert made.values["found"]["devices"] == []
    assert made.lacking == ("memory: the log does not hold what is in use, allocated and reserved",)


def test_several_gpus_have_no_record_of_memory():
    instance = {"type": "ml.g5.12xlarge", "region": "us-east-1", "parallelism": "ddp"}
    estimates = estimates_of(instance=instance)
    gpus = [{"name": "NVIDIA A10G", "total_bytes": 23_600_000_000}] * 4
    made = record_of([run_line(ranks=4, gpus=gpus), *whole_log()[1:]], estimates)
    assert made.values["found"]["devices"] == []
    assert made.lacking[0] == "memory: the log holds the fullest GPU only, and the job uses 4 of a host"


def test_only_the_last_updates_are_kept():
    hyperparameters = {**SPEC["hyperparameters"], "max_steps": 900}
    lines = [run_line(updates=900), *(update_line(step) for step in range(1, 901)), done_line(900)]
    made = record_of(lines, estimates_of(hyperparameters=hyperparameters))
    assert len(made.values["found"]["updates"]) == 500
