"""A job by its log and its bill: what the service billed decides what is claimed of time and cost."""

from __future__ import annotations

import pytest
from made_logs import SPEC, done_line, estimates_of, run_line, seen, update_line, whole_log

from hbspec.watching.billed import BilledAttempt, JobBill
from hbspec.watching.verified import verified

HOUR = 3600.0
SPOT = {**SPEC["instance"], "spot": True, "max_wait": "4h"}
CLAIMS = {"training.cost": "..2 USD", "training.duration": "..70 min"}


def attempt(name="bot-0123456789ab", **other):
    told = {
        "status": "Completed",
        "secondary": "Completed",
        "ended": True,
        "billable_seconds": HOUR,
        "training_seconds": HOUR,
        "total_seconds": HOUR + 120,
        "instances": 1,
        "instance_type": "ml.g5.xlarge",
    }
    return BilledAttempt(name, **(told | other))


def found(*attempts, lines=None, expect=None, untold="", **sections):
    estimates = estimates_of(expect=expect if expect is not None else CLAIMS, **sections)
    return verified(estimates, seen(lines or whole_log(), estimates), JobBill(attempts) if attempts else None, untold)


def verdicts(*attempts, **other):
    return {one.key: one.verdict for one in found(*attempts, **other).judged}


def happened(key, *attempts, **other):
    return next(one.happened for one in found(*attempts, **other).judged if one.key == key)


@pytest.mark.parametrize(("seconds", "verdict"), [(5040, "held"), (5220, "broken")])
def test_the_bill_decides_and_not_the_times_of_the_log(seconds, verdict):
    """2 USD are 85 minutes at 1.408 USD an hour; the log alone would say 12 cents."""
    judged = verdicts(attempt(billable_seconds=seconds, training_seconds=seconds), budget={"max_cost": "2 USD"})
    assert judged["training.cost"] == judged["budget.max_cost"] == verdict
    assert verdicts(expect=CLAIMS)["training.cost"] == "held"


@pytest.mark.parametrize(("seconds", "verdict"), [(4200, "held"), (4201, "broken")])
def test_the_duration_is_from_the_request_to_the_end(seconds, verdict):
    assert verdicts(attempt(total_seconds=seconds))["training.duration"] == verdict


class TestSpot:
    def test_billed_seconds_hold_the_saving_already(self):
        job = found(attempt(billable_seconds=1080.0), instance=SPOT)
        assert job.bill.bill.saved == pytest.approx(0.7)
        (cost,) = [row.measured for row in job.bill.rows if row.name == "cost in USD"]
        assert cost.low == pytest.approx(1080 / HOUR * 1.408)
        assert "70% saved by spot" in happened("training.cost", attempt(billable_seconds=1080.0), instance=SPOT)

    def test_what_was_not_saved_is_not_said_to_be(self):
        assert found(attempt(), instance=SPOT).bill.bill.saved is None

    def test_a_job_that_waited_too_long(self):
        waited = attempt(status="Stopped", secondary="MaxWaitTimeExceeded")
        assert verdicts(waited, instance=SPOT)["instance.max_wait"] == "broken"


class TestAttempts:
    LAST = attempt("bot-0123456789ab-2")
    FIRST = attempt(status="Failed", billable_seconds=HOUR / 2, training_seconds=HOUR / 2, total_seconds=HOUR / 2)

    def test_all_of_them_are_billed(self):
        assert found(self.FIRST, self.LAST).bill.bill.billable_seconds == 1.5 * HOUR
        assert verdicts(self.FIRST, self.LAST)["training.cost"] == "broken"
        assert "billed seconds of 2 attempts" in happened("training.cost", self.FIRST, self.LAST)

    def test_one_whose_bill_is_not_told_may_have_cost_more(self):
        untold = self.FIRST._replace(billable_seconds=None)
        assert verdicts(untold, self.LAST)["training.cost"] == "cannot be told"
        assert any("does not say what was billed of bot-0123456789ab" in note for note in _notes(untold, self.LAST))

    @pytest.mark.parametrize("status", ["Failed", "Stopped"])
    def test_one_that_did_not_complete_goes_on(self, status):
        judged = verdicts(attempt(status=status))
        assert (judged["training.cost"], judged["training.duration"]) == ("cannot be told", "cannot be told")
        assert verdicts(attempt(status=status), expect={"training.cost": "..1 USD"})["training.cost"] == "broken"

    def test_a_failure_is_told_and_is_not_well(self):
        failed = attempt(status="Failed", failure="ClientError: NoSuchBucket: s3://heartbeat/checkpoints/")
        assert not found(failed).ok
        assert "bot-0123456789ab failed: ClientError: NoSuchBucket: s3://heartbeat/checkpoints/" in _notes(failed)

    def test_of_the_last_one_the_log_does_not_hold_what_the_first_one_did(self):
        lines = [run_line(after=20), *map(update_line, range(21, 61)), done_line(60, updates=40)]
        bounds = {"monitoring": {"gpu_memory": {"max": "2 GB"}}, "expect": {"training.step_time": "..1s"}}
        judged = verdicts(self.FIRST, self.LAST, lines=lines, **bounds)
        assert judged["monitoring.gpu_memory.max"] == judged["training.step_time"] == "cannot be told"
        told = happened("monitoring.gpu_memory.max", self.FIRST, self.LAST, lines=lines, **bounds)
        assert told == "held so far; updates 1 to 20 are not in this log"


class TestLimit:
    def test_the_service_says_that_it_stopped_the_job(self):
        stopped = attempt(status="Stopped", secondary="MaxRuntimeExceeded")
        assert verdicts(stopped)["instance.max_runtime"] == "broken"

    @pytest.mark.parametrize(("seconds", "verdict"), [(3600, "held"), (3601, "cannot be told"), (7200, "broken")])
    def test_the_upload_does_not_count(self, seconds, verdict):
        assert verdicts(attempt(training_seconds=seconds))["instance.max_runtime"] == verdict


def test_what_still_runs_is_billed_at_least_what_is_told():
    runs = attempt(status="InProgress", ended=False, total_seconds=None)
    assert verdicts(runs)["training.cost"] == "cannot be told"
    assert verdicts(runs, expect={"training.cost": "..1 USD"})["training.cost"] == "broken"
    nothing = runs._replace(billable_seconds=None, training_seconds=None)
    assert set(verdicts(nothing).values()) == {"cannot be told"}
    assert happened("training.cost", nothing) == "the service has not said what is billed (the job is InProgress)"


def test_other_instances_are_another_job():
    job = found(attempt(instance_type="ml.p4d.24xlarge"))
    assert job.watched.differences == ("instances: 1 x ml.p4d.24xlarge at the service, 1 x ml.g5.xlarge in the spec",)
    assert {one.verdict for one in job.judged} == {"cannot be told"}
    assert not job.ok


def test_without_a_price_the_seconds_are_still_compared():
    unpriced = {**SPEC["instance"], "price": None, "region": "af-south-1"}
    job = found(attempt(), instance=unpriced)
    assert [row.name for row in job.bill.rows] == ["billed"]
    assert verdicts(attempt(), instance=unpriced)["training.cost"] == "cannot be told"


def test_billed_beside_predicted():
    rows = {row.name: row.verdict for row in found(attempt()).bill.rows}
    assert rows == {"billed": "above", "cost in USD": "above"}


def test_a_log_alone_holds_no_bill():
    (note,) = _notes()
    assert note.startswith("a log holds no bill: training.cost, training.duration, instance.max_runtime are judged by")
    assert found().ok
    assert found(expect={}, instance={**SPEC["instance"], "max_runtime": None}).watched.notes == ()


def test_a_bill_that_was_not_answered_is_not_well():
    job = found(untold="DescribeTrainingJob: the AWS credentials have expired; sign in, and run the command again")
    assert job.watched.notes[-1].startswith("what was billed is not known: DescribeTrainingJob: the AWS credentials")
    assert not job.ok


def _notes(*attempts, **other):
    return found(*attempts, **other).watched.notes
