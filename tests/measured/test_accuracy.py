"""The benchmark against measurements: what it counts, prints and refuses."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import accuracy
import pytest
from accounting import accounts_for, shape
from made_rows import LORA, write
from measured import fitted
from measured.fitted import Constants, Observed, fit, left_out, record, recorded
from measured.judged import judge
from measured.quantile import quantile
from measured.row import COLUMNS, Row, read_rows
from measured.score import score, sources
from measured.table import lines

from hbspec.estimators.constants import MEMORY, STEP
from hbspec.estimators.serving.constants import SERVING

SHIPPED = Constants(MEMORY, STEP, SERVING)


def row(**cells):
    return Row({column: cells.get(column, LORA.get(column, "")) for column in COLUMNS})


def judged(*rows):
    return judge(rows, lambda source: SHIPPED)


def run(*arguments):
    """The program in this process, which has judged the same rows already."""
    given, out, err = mock.patch.object(sys, "argv", ["accuracy.py", *map(str, arguments)]), StringIO(), StringIO()
    with given, redirect_stdout(out), redirect_stderr(err):
        code = accuracy.main()
    return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


def test_every_row_is_expressed_or_has_a_reason_and_the_counts_add_up(made):
    entries = judge(read_rows([made]), lambda source: SHIPPED)
    accounts_for(entries, score(entries))


def test_the_score_is_printed_as_json(made):
    done = run(made, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures.keys() == {"rows", "expressed", "metrics", "by", "slices", "speed_slices", "widest"}
    assert figures["by"].keys() == {"method", "placement", "source"}
    shape(figures)


def test_the_table_names_every_reason(made):
    printed = run(made).stdout
    assert "the widest tenth of the intervals" in printed
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


def test_the_largest_job_that_fits_has_no_peak_and_is_scored_apart():
    figures = score(judged(row(notes="FRONTIER: the longest"), row(source_title="Somebody 2024 max batch size table")))
    assert [figures["metrics"][name]["n"] for name in ("peak_allocated", "peak_reserved", "process")] == [0, 0, 0]
    assert figures["slices"]["at the edge of the GPU"]["metrics"]["ran"]["n"] == 2
    assert figures["slices"]["below the edge"]["rows"] == 0


@pytest.mark.parametrize(("share", "edge"), [(0.94, "below the edge"), (0.96, "at the edge of the GPU")])
def test_a_job_within_five_per_cent_of_the_gpu_is_scored_apart(share, edge):
    capacity = judged(row())[0].capacity
    slices = score(judged(row(process_bytes=f"{share * capacity:.0f}")))["slices"]
    assert slices[edge]["metrics"]["process"]["n"] == 1


def test_bytes_of_an_unknown_metric_lie_between_the_least_allocated_and_the_most_of_the_process():
    (entry,) = judged(row(peak_allocated_bytes="", peak_bytes_unknown_metric="17000000000"))
    _, interval = entry.pair("unknown_metric")
    assert interval.low == entry.estimates["peak_allocated"].low
    assert interval.high == entry.estimates["process"].high


def test_what_a_row_leaves_open_widens_its_intervals_and_moves_nothing():
    (said,), (open_,) = judged(row(attention="sdpa")), judged(row(attention=""))
    for metric in ("peak_allocated", "process"):
        narrow, wide = said.estimates[metric], open_.estimates[metric]
        assert wide.low <= narrow.low
        assert wide.high > narrow.high
        assert wide.expected == narrow.expected


def test_scores_name_the_metric_that_is_not_known():
    (entry,) = judged(row(peak_allocated_bytes="", peak_bytes_unknown_metric="17000000000"))
    assert {name for name, found in score([entry])["metrics"].items() if found["n"]} == {"unknown_metric", "ran"}


def test_the_slice_of_stated_rows_asks_for_every_cell_and_the_grade():
    said = {"grade": "A", "attention": "sdpa", "compute_dtype": "bf16", "gradient_checkpointing": "y", "fused_ce": "n"}
    assert row(**said).is_stated
    for cell in ("attention", "compute_dtype", "gradient_checkpointing", "fused_ce"):
        assert not row(**{**said, cell: "?"}).is_stated
        assert not row(**{**said, cell: ""}).is_stated
    assert not row(**{**said, "grade": "B"}).is_stated
    assert not row(**{**said, "notes": "attention kernel from module_replace (assumed flash)"}).is_stated


def expected(metric, **cells):
    return f"{judged(row(**cells))[0].estimates[metric].expected:.0f}"


def test_both_weightings_are_printed():
    right = expected("peak_allocated")
    rows = [row(source_title=name, peak_allocated_bytes=right) for name in ("one", "one", "one")]
    entries = judged(*rows, row(source_title="two", peak_allocated_bytes="1"))
    figures = score(entries)["metrics"]["peak_allocated"]
    assert (figures["inside"], figures["by_row"]["inside"]) == (0.5, 0.75)
    printed = list(lines(entries, score(entries)))
    assert "inside  50%" in next(line for line in printed if line.startswith("peak_allocated"))
    assert "inside  75%" in next(line for line in printed if line.startswith("  by row"))


def test_a_process_is_also_scored_over_sources_of_ten_rows():
    few = [row(source_title="few", process_bytes="1") for _ in range(9)]
    many = [row(source_title="many", process_bytes=expected("process")) for _ in range(10)]
    figures = score(judged(*few, *many))["metrics"]["process"]
    assert figures["inside"] == pytest.approx(0.5)
    assert (figures["larger_sources"], figures["inside_larger_sources"]) == (1, 1.0)


def test_the_widest_tenth_is_named():
    narrow = [row(peak_reserved_bytes="17000000000") for _ in range(16)]
    wide = [row(peak_reserved_bytes="17000000000", gradient_checkpointing="n", source_title="Another")] * 2
    (group,) = score(judged(*narrow, *wide))["widest"]["peak_reserved"]["groups"]
    assert (group["source"], group["method"], group["placement"], group["n"]) == ("Another", "lora", "single", 2)


def test_a_job_that_ran_out_of_memory_has_no_peak():
    metrics = score(judged(row(oom="inferred", gpu="T4-16GB", method="full")))["metrics"]
    assert metrics["peak_allocated"]["n"] == metrics["ran"]["n"] == 0
    called = {"called_fits": 0, "called_tight": 0, "called_does_not_fit": 1}
    assert metrics["out_of_memory"] == {"n": 1, **called, "errors": 1, "warnings": 0}


def test_a_tight_job_is_an_error_where_what_is_expected_exceeds_the_gpu():
    (entry,) = judged(row(gpu="A100-80GB"))
    tight = replace(entry, verdict="tight")
    found = score((tight, replace(tight, is_error=True), entry))["metrics"]["ran"]
    assert (found["called_tight"], found["errors"], found["warnings"]) == (2, 1, 1)


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


@pytest.mark.one_in(3)
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
        (b"\xff\xfe\x00binary", "is not CSV in UTF-8"),
        (b"a,b\n1,2\n", "has no column id, source_title, source_locator, kind …"),
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
