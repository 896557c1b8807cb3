"""The benchmark against measurements: what it counts, prints and refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from made_rows import INFERENCE, LORA, PUBLISHED, ROOT, write
from measured import fitted
from measured.fitted import Constants, Observed, fit, left_out, observed, record, recorded
from measured.fitting import KINDS
from measured.quantile import quantile
from measured.row import COLUMNS, Row, read_rows
from measured.score import judge, score, sources
from measured.table import lines

from hbspec.estimators.constants import MEMORY, STEP
from hbspec.estimators.serving.constants import SERVING

SHIPPED = Constants(MEMORY, STEP, SERVING)
RATIOS = {"n", "median_abs_error", "p90_abs_error", "inside", "median_high_over_low"}
METRICS = {
    "peak_allocated": {"n", "median_abs_error", "p90_abs_error", "worst"},
    "peak_reserved": {"n", "median_abs_error", "inside", "median_width"},
    "process": {"n", "median_abs_error", "inside", "median_width"},
    "out_of_memory": {"n", "called_fits", "called_tight", "called_does_not_fit"},
    "ran": {"n", "called_does_not_fit"},
    "tokens_per_second_per_gpu": RATIOS,
    "total_time": RATIOS,
    "total_cost": RATIOS,
    "decode_tokens_per_second": RATIOS,
    "serving_memory": RATIOS,
}


def row(**cells):
    return Row({column: cells.get(column, LORA.get(column, "")) for column in COLUMNS})


def judged(*rows):
    return judge(rows, lambda source: SHIPPED)


def run(*arguments):
    command = [sys.executable, ROOT / "benchmarks" / "accuracy.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def shape(figures):
    assert {name: set(found) for name, found in figures["metrics"].items()} == METRICS
    assert {"rows", "expressed", "metrics"} == figures.keys() - {"by"}


def test_every_row_is_expressed_or_has_a_reason_and_the_counts_add_up(rows):
    entries = judge(rows, left_out(recorded()))
    assert all((entry.case is None) == bool(entry.reason) for entry in entries if not entry.row.is_serving)
    assert all(entry.measured.keys() <= entry.estimates.keys() | entry.gaps.keys() or entry.reason for entry in entries)
    figures = score(entries)
    shape(figures)
    assert figures["rows"] == len(rows)
    assert figures["expressed"] == sum(entry.reason is None for entry in entries) > 0
    for groups in figures["by"].values():
        for group in groups.values():
            shape(group)
        for count in ("rows", "expressed"):
            assert sum(group[count] for group in groups.values()) == figures[count]
        for metric in METRICS:
            assert sum(group["metrics"][metric]["n"] for group in groups.values()) == figures["metrics"][metric]["n"]


def test_the_score_is_printed_as_json(made):
    done = run(made, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures.keys() == {"rows", "expressed", "metrics", "by"}
    assert figures["by"].keys() == {"method", "placement", "source"}
    shape(figures)


def test_the_table_names_every_reason(made):
    printed = run(made).stdout
    assert "11 rows, 8 expressed, 3 not" in printed
    assert "1  method vera" in printed
    assert "1  a model that is not known: nobody/nothing-1b" in printed


def test_errors_shows_each_value_beside_its_estimate(made):
    printed = run(made, "--errors").stdout
    assert "made-1" in printed
    assert "made-3                ran out of memory, called does_not_fit" in printed


def test_a_metric_of_few_sources_is_not_established(made):
    entries = judge(read_rows([made]), lambda source: SHIPPED)
    assert sources(entries, "peak_allocated") == 1
    said = next(line for line in lines(entries, score(entries)) if line.startswith("peak_allocated"))
    assert "not established: 1 of 3 sources" in said
    three = judged(*(row(source_title=name) for name in ("one", "two", "three")))
    said = next(line for line in lines(three, score(three)) if line.startswith("peak_allocated"))
    assert "not established" not in said


@pytest.mark.parametrize(
    "cells",
    [
        {"peak_allocated_bytes": "", "peak_bytes_unknown_metric": "17000000000"},
        {"notes": "FRONTIER: the longest that fits"},
    ],
)
def test_bytes_that_are_no_peak_are_used_for_verdicts_only(cells):
    metrics = score(judged(row(**cells)))["metrics"]
    assert [metrics[name]["n"] for name in ("peak_allocated", "peak_reserved", "process")] == [0, 0, 0]
    assert metrics["ran"] == {"n": 1, "called_does_not_fit": 0}


def test_a_job_that_ran_out_of_memory_has_no_peak():
    metrics = score(judged(row(oom="inferred", gpu="T4-16GB", method="full")))["metrics"]
    assert metrics["peak_allocated"]["n"] == metrics["ran"]["n"] == 0
    assert metrics["out_of_memory"] == {"n": 1, "called_fits": 0, "called_tight": 0, "called_does_not_fit": 1}


def test_what_a_row_leaves_open_makes_no_verdict_certain():
    said = {"method": "full", "params_b": "", "model_id": "Qwen/Qwen2.5-7B", "optimizer": "adamw_torch"}
    assert judged(row(**said, gpu="A100-80GB"))[0].verdict != judged(row(**said, gpu="A100-40GB"))[0].verdict
    entry = judged(row(**{**said, "optimizer": ""}))[0]
    assert [plan.training.optim for plan in entry.case.others] == ["adamw_torch_fused"]


def test_every_source_weighs_the_same():
    assert quantile([1, 2, 3, 9], [1 / 3, 1 / 3, 1 / 3, 1], 0.5) == 3
    assert quantile([1, 2, 3, 9], [1 / 3, 1 / 3, 1 / 3, 1], 0.51) == 9
    assert quantile([], [], 0.5) is None


def test_the_constants_are_those_that_their_rows_give():
    assert fit(recorded()) == SHIPPED


def test_the_constants_are_those_that_the_published_rows_give():
    found, kept = observed(read_rows([path for path in (PUBLISHED, INFERENCE) if path.exists()])), recorded()
    if not PUBLISHED.exists():
        assert all(len({one.source for one in observations}) >= 3 for observations in kept)
        return
    assert [[one.id for one in observations] for observations in found] == [[one.id for one in kind] for kind in kept]
    constants = fit(found)
    for kind in KINDS:
        for end in ("low", "expected", "high"):
            assert abs(getattr(getattr(constants.memory, kind), end) - getattr(getattr(MEMORY, kind), end)) < 0.03
    for name in ("products", "attention", "crossings", "unpacking"):
        assert getattr(constants.step, name) == pytest.approx(getattr(STEP, name), rel=0.05)


@pytest.mark.parametrize(
    ("kind", "change"), [("memory", {"share": 9.0}), ("speed", {"seconds": 1e3}), ("serving", {"seconds": 1e3})]
)
def test_a_source_has_no_part_in_its_own_constants(kind, change):
    found = recorded()
    source = getattr(found, kind)[0].source
    rest = [one for one in getattr(found, kind) if one.source != source]
    changed = found._replace(**{kind: (*rest, getattr(found, kind)[0]._replace(**change))})
    assert left_out(found)(source) == left_out(changed)(source)
    assert fit(found) != fit(changed)


def test_what_is_recorded_is_read_again(tmp_path, monkeypatch):
    found = recorded()
    for name in ("MEMORY", "SPEED", "SERVING"):
        monkeypatch.setattr(fitted, name, tmp_path / name)
    record(found)
    assert recorded() == found
    record(Observed((), (), ()))
    assert recorded() == found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff\xfe\x00binary", "is no CSV in UTF-8"),
        (b"a,b\n1,2\n", "has no column id, source_title, kind, model_id …"),
    ],
)
def test_bad_input_is_one_line(tmp_path, content, said):
    path = tmp_path / "measured.csv"
    if content is not None:
        path.write_bytes(content)
    done = run(path)
    assert done.returncode == 2
    assert done.stderr.startswith("accuracy.py: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_column_is_named(tmp_path):
    done = run(write(tmp_path / "measured.csv", [LORA], without="gpu"))
    assert done.returncode == 2
    assert done.stderr == f"accuracy.py: {Path(tmp_path / 'measured.csv')} has no column gpu\n"
