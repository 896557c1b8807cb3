"""Logs in which a metric stops, a line is cut off, or the clock goes forward: what is said, and what is not claimed."""

from __future__ import annotations

import pytest
from made_logs import SPEC, done_line, estimates_of, run_line, seen, stamped, update_line

from hbspec.watching.tally import STOPPED_AFTER
from hbspec.watching.verifying import judged

MEMORY, GRADIENT = "monitoring.gpu_memory.max", "monitoring.gradient_norm.max"
BOUNDS = {"gpu_memory": {"max": "2 GB"}, "gradient_norm": {"max": 5}}
WITHOUT_MEMORY = dict.fromkeys(
    ("gpu_memory_bytes", "gpu_peak_allocated_bytes", "gpu_reserved_bytes", "tokens", "longest", "unevenness")
)


def log(updates: int = 60, **after_20: None) -> list[str]:
    lines = [update_line(step, **(after_20 if step > 20 else {})) for step in range(1, updates + 1)]
    return [run_line(), *lines, done_line(60)]


def verdicts(lines: list[str], **sections: object) -> dict[str, tuple[str, str]]:
    estimates = estimates_of(**sections)
    return {one.key: (one.verdict, one.happened) for one in judged(estimates, seen(lines, estimates))}


class TestAMetricThatStops:
    def test_the_others_go_on_and_its_bound_cannot_be_told(self) -> None:
        estimates = estimates_of(monitoring=BOUNDS)
        found = seen(log(**WITHOUT_MEMORY), estimates)
        lost = STOPPED_AFTER - 1
        assert (found.tally.top, found.tally.broken, found.tally.metric_lines) == (60, lost, 60 - lost)
        assert f"{MEMORY} is not watched in {40 - lost} of {60 - lost} metric lines: they lack it" in found.notes
        assert verdicts(log(**WITHOUT_MEMORY), monitoring=BOUNDS)[MEMORY][0] == "cannot be told"

    def test_one_that_goes_on_is_held(self) -> None:
        found = verdicts(log(), monitoring=BOUNDS)
        assert found[MEMORY] == found[GRADIENT] == ("held", "in all 60 metric lines")

    def test_lines_that_are_cut_off_here_and_there_are_not_a_metric_that_stops(self) -> None:
        lines = [update_line(step) for step in range(1, 61)]
        for number in (20, 21, 40):
            lines[number] = lines[number][:60]
        found = seen([run_line(), *lines, done_line(60)])
        assert (found.tally.broken, found.tally.metric_lines) == (3, 57)

    def test_a_bound_is_not_held_in_a_line_that_was_cut_off(self) -> None:
        lines = log()
        lines[30] = lines[30][:60]
        assert verdicts(lines, monitoring=BOUNDS)[GRADIENT] == ("cannot be told", "held so far; 1 metric line cut off")


def test_updates_after_the_last_metric_line_count() -> None:
    lines = [run_line(), *(update_line(step, step_seconds=0.15) for step in range(7, 60, 7)), done_line(60)]
    assert verdicts(lines, expect={"training.optimizer_steps": 60})["training.optimizer_steps"] == ("held", "60")


class TestAClockThatGoesForward:
    LEAP = 2400
    """Seconds, of the job's half hour."""

    def lines(self, pause: int) -> list[str]:
        whole = log()
        return [*stamped(whole[:30]), *stamped(whole[30:], start=30 + pause)]

    def test_it_is_said_and_breaks_nothing(self) -> None:
        found = seen(self.lines(self.LEAP))
        (note,) = found.notes
        assert note.startswith("no metric once, for up to 40.0 min, and then the next update: the job stood still, or")
        assert found.forecast.billed is not None
        assert found.forecast.billed.low < 100 < self.LEAP < found.forecast.billed.high
        sections = {"instance": {**SPEC["instance"], "max_runtime": "30m"}, "budget": {"max_cost": "0.5 USD"}}
        judgement = verdicts(self.lines(self.LEAP), **sections)
        assert judgement["budget.max_cost"][0] == judgement["instance.max_runtime"][0] == "cannot be told"

    @pytest.mark.parametrize("pause", [0, 590])
    def test_a_save_is_not_one(self, pause: int) -> None:
        found = seen(self.lines(pause))
        assert (found.tally.clock.pauses, found.notes) == (0, ())
        assert found.tally.clock.elapsed > pause

    def test_a_restart_is_not_one(self) -> None:
        again = [run_line(after=20), *log()[21:]]
        found = seen([*stamped(log()[:31]), *stamped(again, start=self.LEAP)])
        assert found.tally.clock.elapsed > self.LEAP
        assert found.tally.clock.pauses == 0


def test_bounds_are_not_held_by_the_log_of_another_job() -> None:
    found = seen([run_line(updates=90), *log()[1:]], estimates_of(monitoring=BOUNDS))
    assert dict(found.unseen) == {MEMORY: "the log is of another job", GRADIENT: "the log is of another job"}
