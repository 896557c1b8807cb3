"""What is counted of odd logs: restarts, several ranks, cuts, clocks, and noise."""

from __future__ import annotations

import tracemalloc

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from made_logs import LOGS, done_line, parsed, run_line, seen, stamped, update_line, whole_log

from hbspec.watching.bounds import WatchedBounds
from hbspec.watching.tally import LogTally


def tally_of(lines):
    tally = LogTally(WatchedBounds(None))
    raw = lines if isinstance(lines, bytes) else "".join(f"{line}\n" for line in lines).encode()
    for line in parsed(raw):
        tally.take(line)
    return tally


def test_a_whole_log():
    tally = tally_of(whole_log())
    assert (tally.top, tally.metric_lines, tally.again, tally.starts) == (60, 60, 0, 1)
    assert tally.pace.updates == 60
    assert tally.spent == pytest.approx(60 * 0.15)
    assert (tally.memory, tally.allocated, tally.reserved) == (1_900_000_000, 1_225_000_000, 1_310_000_000)
    assert (tally.first_loss, tally.last_loss, tally.end.last_step) == (2.99, 2.4, 60)


def test_a_restart_goes_back_to_a_checkpoint_and_each_update_counts_once():
    first = [run_line(), *(update_line(step) for step in range(1, 30))]
    second = ["hbspec: resumes from checkpoints/checkpoint-20", run_line(after=20)]
    second += [*(update_line(step) for step in range(21, 61)), done_line(60, updates=40)]
    tally = tally_of([*first, *second])
    assert (tally.top, tally.starts, tally.again, tally.unannounced) == (60, 2, 9, 0)
    assert tally.pace.updates == 60
    assert tally.spent == pytest.approx(69 * 0.15), "time was spent twice, and is billed"


def test_a_restart_from_the_beginning():
    tally = tally_of([run_line(), *map(update_line, range(1, 6)), run_line(), *map(update_line, range(1, 9))])
    assert (tally.top, tally.starts, tally.again, tally.unannounced) == (8, 2, 5, 0)


@pytest.mark.parametrize("window", [1, 3])
def test_several_ranks_that_print_the_same(window):
    steps = range(1, 31)
    blocks = [steps[at : at + window] for at in range(0, 30, window)]
    tally = tally_of([run_line(), *(update_line(step) for block in blocks for _ in range(4) for step in block)])
    assert (tally.top, tally.pace.updates, tally.again) == (30, 30, 90)
    assert tally.unannounced == 90
    assert tally.spent == pytest.approx(30 * 0.15), "they ran at the same time"


def test_a_line_may_be_the_mean_of_several_updates():
    tally = tally_of([run_line(), *(update_line(step) for step in range(10, 61, 10))])
    assert (tally.pace.updates, tally.grouped, len(tally.timed)) == (60, True, 0)
    assert tally.spent == pytest.approx(60 * 0.15)


def test_lines_that_were_cut_off_are_counted_and_not_used():
    lines = [*whole_log()[:20], update_line(20, loss=1.0)[:40], update_line(20, loss=1.0)[:-14], update_line(20)]
    tally = tally_of(lines)
    assert (tally.broken, tally.top, tally.last_loss) == (2, 20, 2.8)


def test_the_last_line_without_a_line_break_is_not_used():
    tally = tally_of(f"{run_line()}\n{update_line(1)}\n{update_line(2)[:-1]}".encode())
    assert (tally.top, tally.broken, tally.shortened) == (1, 1, 1)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf"), 1e12])
def test_a_time_that_no_update_takes_is_not_used(seconds):
    tally = tally_of([update_line(1), update_line(2, step_seconds=seconds), update_line(3)])
    assert (tally.broken, tally.top) == (1, 3)
    assert tally.spent == pytest.approx(3 * 0.15)


def test_bytes_that_are_not_utf8():
    tally = tally_of(b"\xff\xfe progress \x80\n" + "ürgendwas\n".encode() + update_line(1).encode() + b"\n")
    assert (tally.garbled, tally.top) == (1, 1)


def test_progress_bars_with_carriage_returns():
    raw = "".join(f"\r {step}%|### | {step}/30\r{update_line(step)}\r\n" for step in range(1, 31)).encode()
    tally = tally_of(raw)
    assert (tally.top, tally.broken) == (30, 0)


class TestClock:
    def test_what_passes(self):
        clock = tally_of(stamped(whole_log(), every=2)).clock
        assert (clock.elapsed, clock.begun, clock.back) == (122.0, 0.0, 0)

    def test_a_clock_that_goes_back_takes_no_time(self):
        lines = list(stamped(whole_log()))
        tally = tally_of([*lines[:31], *stamped(whole_log()[31:], start=0)])
        assert (tally.clock.back, tally.clock.farthest) == (1, 30.0)
        assert tally.clock.elapsed == 60.0

    @given(st.lists(st.floats(0, 4e9), max_size=50))
    def test_no_duration_is_negative(self, times):
        tally = LogTally(WatchedBounds(None))
        for time in times:
            before = tally.clock.elapsed
            tally.clock.take(time)
            assert tally.clock.elapsed >= before >= 0


def test_the_pace_lies_between_the_fastest_and_the_slowest_ten_lines():
    times = [9.0, 1.0, 1.0, *[1.0] * 10, *[2.0] * 10, *[1.5] * 5]
    pace = tally_of([run_line(), *(update_line(step, step_seconds=each) for step, each in enumerate(times, 1))]).pace
    assert pace.coming.to_dict() == {"low": 1.0, "expected": 2.0, "high": 2.0}
    assert (pace.fastest, pace.slowest) == (1.0, 9.0)


def test_until_ten_lines_are_there_it_lies_between_single_ones():
    pace = tally_of([update_line(1, step_seconds=9.0), update_line(2, step_seconds=1.0)]).pace
    assert pace.coming.to_dict() == {"low": 1.0, "expected": 5.0, "high": 9.0}
    assert tally_of([]).pace.coming is None


def test_memory_stays_constant():
    def peak(updates):
        lines = parsed("".join(f"{update_line(step)}\n" for step in range(1, updates)).encode())
        tally = LogTally(WatchedBounds(None))
        tracemalloc.start()
        for line in lines:
            tally.take(line)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    few, many = peak(2_000), peak(20_000)
    assert many < 1.2 * few


def test_a_real_log_that_was_stopped_and_went_on():
    tally = tally_of((LOGS / "resumed.log").read_bytes())
    assert (tally.top, tally.starts, tally.again, tally.broken) == (30, 2, 0, 0)
    assert tally.evaluations == 3
    assert tally.end.stopped_by is None
    assert tally.run.settings["SAVE_STEPS"] == 5


@examples(100)
@given(st.binary(max_size=400), st.integers(0, 5000))
def test_no_noise_raises(noise, at):
    raw = "".join(f"{line}\n" for line in stamped(whole_log()))[:5000].encode()
    found = seen(raw[:at] + noise + raw[at:])
    assert found.tally.lines
    assert found.state
