"""Blocks count the same as their lines one by one."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from made_logs import estimates_of, metrics, parsed, run_line, update_line, whole_log

from hbspec.watching import blocks
from hbspec.watching.blocks import take_block
from hbspec.watching.bounds import WatchedBounds
from hbspec.watching.lines import LogBlock
from hbspec.watching.tally import LogTally

MONITORING = {
    "loss": {"decreasing_over": "14 steps"},
    "gpu_memory": {"max": "2 GB"},
    "step_time": {"min": "100 ms", "max": "1s"},
    "gradient_norm": {"max": 5},
}
WATCHED = estimates_of(monitoring=MONITORING).analysis.spec.monitoring


@dataclass
class Counted:
    """Everything that a tally counts, with sums rounded as far as their order decides them."""

    tally: LogTally

    def __eq__(self, other):
        return isinstance(other, Counted) and self.content() == pytest.approx(other.content(), nan_ok=True)

    def content(self):
        values = {name: value for name, value in vars(self.tally).items() if type(value) in (int, float)}
        pace = {f"pace {name}": value for name, value in vars(self.tally.pace).items() if type(value) in (int, float)}
        bounds = {
            f"{name} {field}": value
            for name, breach in self.tally.bounds.broken.items()
            for field, value in breach._asdict().items()
            if type(value) in (int, float)
        }
        return {**values, **pace, **bounds}


def both(lines, size):
    """The tallies of a log: in blocks of so many lines, and line by line."""
    at_once, single = (LogTally(WatchedBounds(WATCHED)) for _ in range(2))
    raw = [f"{line}\n".encode() for line in lines]
    for at in range(0, len(raw), size):
        take_block(at_once, LogBlock(b"".join(raw[at : at + size])))
    for line in parsed(b"".join(raw)):
        single.take(line)
    return at_once, single


def assert_same(lines, size):
    at_once, single = both(lines, size)
    assert Counted(at_once) == Counted(single)
    assert at_once.bounds.broken.keys() == single.bounds.broken.keys()
    assert (list(at_once.timed), at_once.alike, at_once.raw) == (list(single.timed), single.alike, single.raw)
    assert at_once.bounds.compared == single.bounds.compared


OTHERS = st.sampled_from(
    [
        run_line(after=3),
        "hbspec: resumes from checkpoints/checkpoint-3",
        metrics.line(7, {"eval_loss": 2.0}),
        " 30%|### | 3/10",
        "",
        update_line(4),
        update_line(9, loss=nan),
        update_line(12, grad_norm=inf),
        update_line(5)[:50],
        update_line(6, gpu_memory_bytes=None),
        update_line(8, step_seconds=-1.0),
    ]
)
UPDATES = st.fixed_dictionaries(
    {
        "loss": st.sampled_from([1.5, 2.0, 2.5]),
        "grad_norm": st.sampled_from([0.5, 4.9, 5.1]),
        "step_seconds": st.sampled_from([0.15, 0.2, 0.9, 1.1]),
        "gpu_memory_bytes": st.sampled_from([1_900_000_000, 1_950_000_000, 2_100_000_000]),
        "longest": st.sampled_from([300, 300, 280]),
        "unevenness": st.sampled_from([1.0, 1.0, 1.1]),
    }
)


@examples(200)
@given(st.lists(st.one_of(UPDATES, UPDATES, UPDATES, UPDATES, OTHERS), max_size=60), st.integers(1, 70))
def test_any_log(parts, size):
    lines, step = [run_line()], 0
    for part in parts:
        step += isinstance(part, dict)
        lines.append(update_line(step, **part) if isinstance(part, dict) else part)
    assert_same(lines, size)


@examples(60)
@given(st.lists(st.sampled_from([1.4, 1.5, 2.0]), min_size=40, max_size=80), st.integers(1, 90), st.integers(0, 3))
def test_a_log_that_is_counted_at_once(losses, size, uneven):
    lines = [run_line()]
    for step, loss in enumerate(losses, 1):
        lines.append(update_line(step, loss=loss, step_seconds=0.2 + step / 1000, longest=300 - step % (uneven + 1)))
    assert_same(lines, size)


def test_the_usual_block_is_counted_at_once(monkeypatch):
    taken = []
    original = blocks._take_at_once
    monkeypatch.setattr(blocks, "_take_at_once", lambda *given: taken.append(original(*given)) or taken[-1])
    tally, _ = both(whole_log(step_seconds=0.2)[:-1], 20)
    assert taken == [True, True, True][: len(taken)]
    assert taken
    assert tally.top == 60
