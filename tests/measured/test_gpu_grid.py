"""The grid of `benchmarks/gpu.py`: two small programs on this CPU, and what it makes of a GPU's history."""

from __future__ import annotations

import csv
import json

import gpu
import pytest
import torch  # noqa: F401 - the processes that are started need it
from gpu import GRID, Program, alike, config_of, fact, lines, run, spec_of, stream_of
from made_records import record_of_estimate
from preloaded_training import imports_made

from hbspec.api import estimate
from hbspec.measure import Measured, MeasureError, at_hand
from hbspec.measure.gpus import GpuAtHand, MachineAtHand
from hbspec.plan.measurement_file import read_measurement

TINY = {
    "model_type": "qwen2",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 1024,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
}


@pytest.fixture(scope="module", autouse=True)
def sooner():
    with imports_made():
        yield


A10G = (GpuAtHand("NVIDIA A10G", 23_600_845_291, 0),)


def test_two_programs_on_a_cpu(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "config.json").write_text(json.dumps(TINY))
    programs = [
        Program("one", "./config.json", "lora", alike(32), 2),
        Program("other", "./config.json", "full", alike(16), 1, {"gradient_accumulation_steps": 2}),
    ]
    rows, left = run(programs, tmp_path / "out", 400, on_cpu=True)
    assert (len(rows), left) == (2, [])
    with (tmp_path / "out/facts.csv").open() as file:
        written = list(csv.DictReader(file))
    assert [(row["id"], row["method"], row["gpu"], row["grad_accum"]) for row in written] == [
        ("one", "lora", "CPU", "1"),
        ("other", "full", "CPU", "2"),
    ]
    assert all(float(row["step_time_s"]) > 0 for row in written)
    assert {(row["peak_reserved_bytes"], row["step_time_s_inside"]) for row in written} == {("", "")}
    records = json.loads((tmp_path / "out/records.json").read_text())
    assert [read_measurement(records[name]).rows.tokens for name in ("one", "other")] == [64, 16]
    assert not list((tmp_path / "out/streams").iterdir())
    page = capsys.readouterr().out
    assert "one on CPU\n  tokens_per_s_per_gpu" in page
    assert "nothing predicted" in page


def test_programs_that_fail_or_have_no_time_are_named(tmp_path, monkeypatch):
    now = iter([0.0, 0.0, 10.0, 60.0])
    monkeypatch.setattr(gpu.time, "monotonic", lambda: next(now))

    monkeypatch.setattr(gpu, "at_hand_or_refused", lambda *, on_cpu: MachineAtHand(A10G, "2.13.0", "12.8", "570.1"))

    def fail(program, output, limit, machine):
        assert 15 <= limit <= 120
        raise MeasureError(f"{program.name} failed\nand said why")

    monkeypatch.setattr(gpu, "_measure", fail)
    rows, left = run(GRID[:3], tmp_path, 70, on_cpu=False)
    assert [row["failed"] for row in rows] == [f"{program.name} failed" for program in GRID[:2]]
    assert left == [{"id": GRID[2].name, "reason": "no time was left"}]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("program", GRID, ids=lambda program: program.name)
def test_every_program_can_be_planned_and_is_small(program):
    spec = spec_of(program)
    estimates = estimate(spec, overrides=at_hand.on_gpus(spec, A10G))
    assert estimates.time is not None
    assert estimates.memory.fullest.process.high < 20e9
    assert config_of(program)["model_type"]


def test_the_grid_has_a_name_for_each_program():
    assert len({program.name for program in GRID}) == len(GRID) == 20


def test_a_row_of_a_gpu_has_what_was_seen_and_what_was_predicted():
    program = GRID[2]
    estimates = estimate(spec_of(program), overrides=at_hand.on_gpus(spec_of(program), A10G))
    record = record_of_estimate(estimates, seconds=(0.5, 0.5, 0.5))
    interval = estimates.time.step_seconds.to_dict()
    sizes = {"allocated_bytes": {"low": 1, "expected": 2, "high": 3}}
    record |= {"predicted": {"step_seconds": interval, "devices": [sizes]}}
    record["place"] |= {"driver": "570.1"}
    record["found"] |= {"tokens_per_second_per_gpu": 1024.0}
    row = fact(program, Measured(record, estimates, None))
    assert (row["step_time_s"], row["gpu"], row["method"]) == (0.5, "A10G", "full")
    assert row["peak_allocated_bytes_inside"] is False
    assert row["step_time_s_inside"] is (interval["low"] <= 0.5 <= interval["high"])
    assert row["peak_reserved_bytes_inside"] is None
    said = list(lines(row))
    assert any("peak_allocated_bytes" in line and line.endswith("OUTSIDE") for line in said)


def event(action, address, size):
    return {"action": action, "addr": address, "size": size, "stream": 0, "time_us": 1}


def test_without_a_gpu_nothing_is_measured(tmp_path, capsys):
    with pytest.raises(SystemExit):
        gpu.main(["--output", str(tmp_path / "out")])
    assert "sees no GPU" in capsys.readouterr().err


def test_a_history_becomes_a_stream_that_is_replayed():
    """A block of 2 MiB in a segment of 20 MiB, freed and used again."""
    mib = 2**20
    trace = [
        event("segment_alloc", 512, 20 * mib),
        event("alloc", 512, 2 * mib),
        event("free_requested", 512, 2 * mib),
        event("free_completed", 512, 2 * mib),
        event("alloc", 512, 2 * mib),
        event("snapshot", 0, 0),
    ]
    stream = stream_of({"device_traces": [[], trace]})
    assert stream == {
        "segments_at_start": [],
        "blocks_in_use_at_start": [],
        "events": [
            ["open", 512, 20 * mib],
            ["alloc", 512, 2 * mib],
            ["free", 512, 2 * mib],
            ["alloc", 512, 2 * mib],
        ],
    }


@pytest.mark.parametrize("traces", [[], [[]], [[event("alloc", 0, 1)] * 3]])
def test_a_history_that_is_not_whole_is_left_out(traces, monkeypatch):
    monkeypatch.setattr(gpu, "SNAPSHOT_ENTRIES", 3)
    assert stream_of({"device_traces": traces}) is None
