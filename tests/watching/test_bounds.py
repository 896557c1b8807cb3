from __future__ import annotations

from math import inf, nan

import pytest
from made_logs import as_json, estimates_of, metrics, run_line, seen, update_line

MEMORY = {"gpu_memory": {"max": "2 GB"}}


def broken(monitoring, lines):
    return {breach.bound: breach for breach in seen(lines, estimates_of(monitoring=monitoring)).broken}


@pytest.mark.parametrize(
    ("monitoring", "field", "held", "breaks", "bound"),
    [
        (MEMORY, "gpu_memory_bytes", 2_000_000_000, 2_000_000_001, "monitoring.gpu_memory.max"),
        ({"step_time": {"min": "1s"}}, "step_seconds", 1.0, 0.99, "monitoring.step_time.min"),
        ({"step_time": {"max": "1s"}}, "step_seconds", 1.0, 1.01, "monitoring.step_time.max"),
        ({"gradient_norm": {"max": 5}}, "grad_norm", 5.0, 5.1, "monitoring.gradient_norm.max"),
        ({"gradient_norm": {"max": 5}}, "grad_norm", 5.0, nan, "monitoring.gradient_norm.max"),
    ],
)
def test_a_bound_breaks_where_it_is_passed_and_not_before(monitoring, field, held, breaks, bound):
    lines = [run_line(), *(update_line(step, **{field: held}) for step in range(1, 5))]
    assert broken(monitoring, lines) == {}
    (name, breach), *others = broken(monitoring, [*lines, update_line(5, **{field: breaks})]).items()
    assert (name, breach.step, breach.lines, others) == (bound, 5, 1, [])
    assert str(breach.value) == str(breaks)


def test_the_first_and_the_worst_are_told():
    sizes = {3: 2_100_000_000, 4: 2_500_000_000, 5: 2_200_000_000}
    lines = [update_line(step, gpu_memory_bytes=sizes.get(step, 10**9)) for step in range(1, 8)]
    breach = broken(MEMORY, lines)["monitoring.gpu_memory.max"]
    assert breach.text == ("2.10 GB at update 3 is above 2.00 GB; at worst 2.50 GB at update 4, in 3 metric lines")


@pytest.mark.parametrize("loss", [nan, inf, -inf])
def test_a_loss_that_is_not_a_number_breaks_without_any_monitoring(loss):
    found = seen([run_line(), update_line(1), update_line(2, loss=loss), update_line(3, loss=nan)])
    assert [breach.text for breach in found.broken] == [f"the loss is {loss} at update 2"]
    assert not found.ok
    assert as_json(found)["broken"][0]["first"] == {"update": 2, "value": str(loss)}


WINDOW = {"loss": {"decreasing_over": "10 steps"}}


class TestLoss:
    def test_each_half_is_compared_with_the_one_before(self):
        flat = [3.0] * 5 + [2.0] * 5 + [2.1] * 5
        lines = [update_line(step, loss=loss) for step, loss in enumerate(flat, 1)]
        assert broken(WINDOW, lines[:14]) == {}
        breach = broken(WINDOW, lines)["monitoring.loss.decreasing_over"]
        assert breach.step == 15
        assert breach.text == "the mean loss up to update 15 is 2.100, and that of as many updates before 2.000"

    def test_noise_within_a_half_does_not_matter(self):
        lines = [update_line(step, loss=3 - step / 20 + (step % 2) / 5) for step in range(1, 41)]
        assert broken(WINDOW, lines) == {}

    def test_a_loss_that_does_not_change_breaks(self):
        lines = [update_line(step, loss=2.0) for step in range(1, 11)]
        assert set(broken(WINDOW, lines)) == {"monitoring.loss.decreasing_over"}

    def test_means_of_several_updates_count_as_so_many(self):
        lines = [run_line(), update_line(5, loss=2.0), update_line(10, loss=2.5)]
        assert set(broken(WINDOW, lines)) == {"monitoring.loss.decreasing_over"}

    def test_updates_that_are_computed_again_count_once(self):
        lines = [run_line(), *(update_line(step, loss=3 - step / 10) for step in range(1, 9))]
        again = [run_line(after=4), *(update_line(step, loss=3 - step / 10) for step in range(5, 21))]
        assert broken(WINDOW, [*lines, *again]) == {}

    def test_a_log_that_does_not_reach_it(self):
        found = seen([update_line(1)], estimates_of(monitoring=WINDOW))
        assert found.unseen == {"monitoring.loss.decreasing_over": "the log does not reach the end of a window"}


def test_what_the_log_does_not_hold_is_open():
    monitoring = {**MEMORY, "step_time": {"max": "1s"}, "gradient_norm": {"max": 5}}
    line = metrics.line(1, {"loss": 2.0})
    assert seen([line], estimates_of(monitoring=monitoring)).unseen == {
        "monitoring.gpu_memory.max": "the log holds no memory of a GPU",
        "monitoring.step_time.max": "the log holds no time of an update",
        "monitoring.gradient_norm.max": "the log holds no norm of gradients",
    }
