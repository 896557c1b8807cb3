from __future__ import annotations

import pytest
from made_logs import done_line, metrics, run_line, update_line

from hbspec.watching.events import (
    UPDATE,
    Broken,
    LoggedEnd,
    LoggedEvaluation,
    LoggedFailure,
    LoggedResume,
    LoggedRun,
    LoggedUpdate,
    events_of,
    update_of,
)
from hbspec.watching.lines import LogLine

FIELDS = (
    "grad_norm", "learning_rate", "epoch", "step_seconds", "gpu_memory_bytes", "gpu_peak_allocated_bytes",
    "gpu_reserved_bytes", "tokens", "longest", "unevenness",
)  # fmt: skip


def only(text, **line):
    (event,) = events_of(LogLine(text.encode() if isinstance(text, str) else text, **line))
    return event


def test_each_field_of_the_scripts_line_is_read():
    found = update_of(LogLine(update_line(12).encode()))
    assert (found.step, found.loss, found.gradient, found.seconds) == (12, 2.88, 0.9, 0.15)
    assert found.raw[4:] == (b"1900000000", b"1225000000", b"1310000000", b"600", b"300", b"1")
    assert found.fields == UPDATE.groups


@pytest.mark.parametrize("left_out", FIELDS)
def test_a_line_without_a_field_is_read_too(left_out):
    name = left_out
    found = update_of(LogLine(update_line(12, **{name: None}).encode()))
    assert found.raw[FIELDS.index(left_out)] is None
    assert sum(part is None for part in found.raw) == 1


@pytest.mark.parametrize(
    "before", ["", "2026-12-01T10:00:00Z algo-1 ", "  3%|▎         | 1/30 [00:01<00:30]", "[rank0]: "]
)
def test_what_stands_before_the_mark_does_not_matter(before):
    assert isinstance(only(before + update_line(3)), LoggedUpdate)


@pytest.mark.parametrize("loss", ["nan", "inf", "-inf"])
def test_a_loss_that_is_not_a_number_is_read(loss):
    assert str(only(update_line(3, loss=float(loss))).loss) == loss


def test_the_other_lines_of_the_script():
    assert only(metrics.line(10, {"eval_loss": 1.5})) == LoggedEvaluation(10, 1.5)
    assert only(done_line(60, "SIGTERM")) == LoggedEnd(60, "SIGTERM", 60, 120)
    assert only("hbspec: resumes from /opt/ml/checkpoints/checkpoint-50") == LoggedResume(50)
    assert only("hbspec: stopped by SIGTERM after update 13; a new start resumes there") == LoggedFailure(
        "stopped", "SIGTERM"
    )
    run = only(run_line(after=5))
    assert isinstance(run, LoggedRun)
    assert (run.updates, run.after, run.ranks, run.gpus) == (60, 5, 1, (("NVIDIA A10G", 23_600_000_000),))
    assert run.settings["MAX_LENGTH"] == 512


@pytest.mark.parametrize(
    "text",
    [
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
        "RuntimeError: CUDA error: out of memory",
    ],
)
def test_memory_that_ran_out(text):
    assert only(text).kind == "out of memory"


def test_a_refusal():
    assert only("train.py: MAX_STEPS=x is not a number") == LoggedFailure("refused", "MAX_STEPS=x is not a number")


@pytest.mark.parametrize(
    "text",
    [
        "hbspec: step=12 lo",
        "hbspec: step=12 loss=",
        "hbspec: step=12 loss=1.5 grad_norm=0.9 epo",
        "hbspec: step=12 loss=1.5e",
        "hbspec: step=twelve loss=1.5",
        "hbspec: step=12 eval_loss=one",
        'hbspec: run {"updates": 60, "ra',
        'hbspec: done {"updates": 60}',
        "hbspec: run {" + "[" * 100_000,
    ],
)
def test_a_line_that_was_cut_off(text):
    assert only(text) == Broken()


def test_a_metric_line_without_a_line_break_may_lack_digits():
    assert only(update_line(3), whole=False) == Broken()


def test_two_ranks_in_one_line():
    assert [event.step for event in events_of(LogLine((update_line(3) + update_line(3)).encode()))] == [3, 3]
    cut = update_line(3)[:40] + update_line(4)
    assert [type(event) for event in events_of(LogLine(cut.encode()))] == [Broken, LoggedUpdate]


@pytest.mark.parametrize(
    "text", ["loss=3.5 step=4", "hbspec: note something", "hbspec: override X: 1 -> 2 (y)", "{'loss': 1.2}"]
)
def test_other_lines_say_nothing(text):
    assert list(events_of(LogLine(text.encode()))) == []


@pytest.mark.parametrize(
    "value", ["x", 1, None, [], [1], {"updates": "many"}, {"gpus": [None, {"name": 1}], "after": -1}]
)
def test_a_run_line_with_other_values_is_read_without_them(value):
    event = only("hbspec: run " + metrics.json.dumps(value if isinstance(value, dict) else {"gpus": value}))
    assert isinstance(event, LoggedRun)
    assert event.updates is None
    assert event.after == 0
