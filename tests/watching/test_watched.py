"""A log beside the estimates: what is compared, what is of another job, and what is left."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from made_logs import (
    A10G,
    LOGS,
    SETTINGS,
    SPEC,
    as_json,
    done_line,
    estimates_of,
    metrics,
    run_line,
    seen,
    stamped,
    update_line,
    whole_log,
)

from hbspec.api import compile_spec, estimate
from hbspec.units import Interval
from hbspec.watching import NotALogError, watch_state
from hbspec.watching.watched import SeenBeside


def row(found, name):
    return next(row for row in found.rows if row.name == name)


class TestVerdicts:
    @pytest.mark.parametrize(
        ("low", "high", "verdict"),
        [(1, 3, "as predicted"), (4, 5, "above"), (0, 0.5, "below"), (2, 4, "partly"), (0.5, 5, "partly")],
    )
    def test_where_a_measured_value_lies(self, low, high, verdict):
        assert SeenBeside("x", "number", Interval(1, 2, 3), Interval(low, low, high)).verdict == verdict

    def test_nothing_is_compared_with_nothing(self):
        assert SeenBeside("x", "number", None, Interval.exact(1)).verdict == "not compared"
        assert SeenBeside("x", "number", Interval.exact(1), None).verdict == "not compared"

    def test_a_prediction_is_not_compared_with_itself(self):
        found = seen(["pip says hello"])
        assert {one.verdict for one in found.rows} == {"not compared"}
        assert row(seen(whole_log()), "billed at the end").verdict == "as predicted"

    def test_of_a_job(self):
        found = seen(whole_log())
        assert found.ok
        assert {one.name: one.verdict for one in found.rows if one.measured} == {
            "update": "as predicted",
            "GPU memory": "as predicted",
            "allocated": "as predicted",
            "reserved": "as predicted",
            "all updates": "as predicted",
            "billed at the end": "as predicted",
        }
        assert row(seen(whole_log(step_seconds=5.0)), "update").verdict == "above"


class TestState:
    @pytest.mark.parametrize(
        ("lines", "state"),
        [
            (whole_log(), "done after update 60"),
            (whole_log()[:-1], "all 60 updates are computed; the log does not say that the job ended"),
            (whole_log()[:13], "update 12 of 60"),
            (whole_log()[:1], "no update yet"),
            ([], "no update yet"),
            ([*whole_log()[:13], done_line(12, "SIGTERM")], "stopped by SIGTERM after update 12"),
            (
                [*whole_log()[:13], "torch.OutOfMemoryError: CUDA out of memory."],
                "failed (out of memory): torch.OutOfMemoryError: CUDA out of memory.",
            ),
        ],
    )
    def test_in_words(self, lines, state):
        assert seen(lines).state == state

    def test_a_restart_after_a_failure_is_not_one(self):
        lines = [*whole_log()[:13], "torch.OutOfMemoryError: CUDA out of memory.", run_line(after=0)]
        assert seen(lines).state == "update 12 of 60"
        assert not seen(lines[:-1]).ok

    def test_the_first_line_of_a_failure_is_told(self):
        found = seen([run_line(), "train.py: the first", "train.py: the second"])
        assert (found.state, found.ok) == ("failed (refused): the first", False)

    def test_a_job_that_was_stopped_has_not_failed(self):
        text = "hbspec: stopped by SIGTERM after update 12; a new start resumes there"
        assert seen([*whole_log()[:13], text, done_line(12, "SIGTERM")]).ok
        assert seen([*whole_log()[:13], text]).state == "update 12 of 60"


class TestNotes:
    def test_a_log_without_any_metric_says_what_is_expected(self):
        (note,) = seen(["Epoch 1", "loss: 2.3"]).notes
        assert note.startswith("the log holds no metric of training; a line of the shipped script reads `hbspec: step=")

    def test_metrics_that_stop(self):
        lines = [*stamped(whole_log()[:13]), *stamped(["something else"], start=700)]
        assert seen(lines).notes == (
            "no metric for 11.5 min up to the last line, while an update takes at most 150 ms",
        )

    def test_a_pause_of_a_slow_update_is_not_a_stop(self):
        lines = stamped([run_line(), *(update_line(step, step_seconds=100.0) for step in (1, 2)), "x"], every=100.0)
        assert seen(lines).notes == ()

    def test_a_clock_that_goes_back(self):
        lines = [*stamped(whole_log()[:30], start=100), *stamped(whole_log()[30:])]
        assert seen(lines).notes == ("the clock goes back once, by up to 2.15 min: that counts as no time",)

    def test_restarts_and_ranks(self):
        again = [run_line(), *map(update_line, (1, 2, 3)), run_line(after=1), *map(update_line, (2, 3, 4))]
        assert seen(again).notes == ("2 starts: 2 metric lines of updates that were computed again count once",)
        twice = [line for line in whole_log() for _ in range(2 if "step=" in line else 1)]
        assert "60 metric lines of updates that came before, without a restart" in seen(twice).notes[0]

    def test_the_rest(self):
        raw = f"{update_line(1)}\n{update_line(2)[:50]}\n".encode() + b"\xff\n" + b"x" * 100_000 + b"\n"
        assert seen(raw).notes == (
            "1 metric line cut off, or written into each other: not used",
            "1 line too long, or without a line break at the end: not read as metrics",
            "1 line not UTF-8",
        )


class TestAnotherJob:
    @pytest.mark.parametrize(
        ("other", "said"),
        [
            ({"updates": 300}, "updates: 300 in the log, 60 in the spec"),
            ({"ranks": 4}, "processes: 4 in the log, 1 in the spec"),
            ({"micro_batch": 1}, "micro-batch: 1 in the log, 2 in the spec"),
            ({"accumulation": 8}, "gradient accumulation: 8 in the log, 1 in the spec"),
            ({"gpus": []}, "hardware: the log is of a CPU, and the spec's is A10G"),
            ({"gpus": [{**A10G, "name": "NVIDIA L4"}]}, "GPU: L4 in the log, A10G in the spec"),
            ({"tiny": True}, "weights: the log is of a rehearsal with a tiny model (hbspec smoke)"),
            ({"settings": {**SETTINGS, "MODEL_ID": "x/y"}}, "MODEL_ID: x/y in the log, Qwen/Qwen2.5-0.5B in the spec"),
            ({"settings": {**SETTINGS, "MAX_LENGTH": 256}}, "MAX_LENGTH: 256 in the log, 512 in the spec"),
            ({"settings": {**SETTINGS, "METHOD": "full"}}, "METHOD: full in the log, lora in the spec"),
            ({"job": "other-0123456789ab-2"}, "name: the log is of other-0123456789ab-2, and the spec's job is bot"),
        ],
    )
    def test_it_is_said_and_not_compared(self, other, said):
        found = seen([run_line(**other), *whole_log()[1:]])
        assert found.differences == (said,)
        assert not found.ok
        document = as_json(found)
        assert {entry["verdict"] for entry in document["compared"]} == {"not compared"}
        assert document["cost_at_end"] is None

    def test_a_log_without_a_run_line_that_goes_on_too_long(self):
        found = seen([update_line(step) for step in range(1, 62)])
        assert found.differences == ("updates: the log reaches update 61, and the spec has 60",)

    @pytest.mark.parametrize("rate", ["2.0e-4", "0.00020", "2E-4"])
    def test_settings_that_mean_the_same_do_not_differ(self, rate, tmp_path):
        same = {**SETTINGS, "LEARNING_RATE": 2e-4, "BF16": True, "TARGET_MODULES": ["q_proj", "v_proj"]}
        text = f"{{bf16: true, target_modules: [q_proj, v_proj], learning_rate: {rate}, "
        text += "method: lora, max_steps: 60, per_device_batch_size: 2, max_length: 512}"
        values = {key: part for key, part in SPEC.items() if key != "hyperparameters"}
        (tmp_path / "bot.yaml").write_text(
            f"{json.dumps(values)[:-1]}, hyperparameters: {text.replace('yes', 'true')}}}"
        )
        assert seen([run_line(settings=same)], estimate(tmp_path / "bot.yaml")).differences == ()

    def test_the_digest_of_the_jobs_name(self):
        values = {
            **estimates_of().analysis.document.values,
            "data": {"train": {"examples": 1000, "uri": "s3://data/b/"}, "tokens": {"mean": 300, "max": 300}},
            "sagemaker": {"role": "arn:aws:iam::111122223333:role/Train", "output": "s3://data/models/"},
        }
        (body,) = (one for one in compile_spec(values) if one.path == "create_training_job.json")
        name = json.loads(body.content)["TrainingJobName"]
        assert seen([run_line(job=name), *whole_log()[1:]], estimate(values)).notes == ()
        assert seen([run_line(job=f"{name}-2"), *whole_log()[1:]], estimate(values)).notes == ()
        (note,) = seen([run_line(job="bot-0123456789ab"), *whole_log()[1:]], estimate(values)).notes
        assert note.startswith(f"the job's digest is 0123456789ab, and that of the spec is {name[4:]}")
        (note,) = seen([run_line(job=name), *whole_log()[1:]]).notes
        assert note.endswith("is not compared: the spec cannot be compiled for SageMaker")


class TestForecast:
    def test_what_is_left_at_the_pace_so_far(self):
        half = seen(whole_log(step_seconds=2.0)[:31])
        remaining = half.forecast.remaining
        assert 30 * 2.0 < remaining.expected < 30 * 2.0 + 10, "two saves are left too"
        assert remaining.low >= 60

    def test_nothing_is_left_of_a_job_that_is_done(self):
        found = seen(whole_log())
        assert found.forecast.remaining == Interval.exact(0)
        assert found.forecast.billed_at_end.low > found.forecast.billed.low, "the upload is billed"

    def test_what_is_billed_grows_with_the_log(self):
        log = whole_log(step_seconds=10.0)
        ends = [seen(log[:size]).forecast.billed for size in (2, 11, 31, 62)]
        grown = [one.expected - ends[0].expected for one in ends]
        assert all(more >= 10 * updates - 1e-6 for more, updates in zip(grown, (0, 9, 29, 59), strict=True))
        assert all(one.low < other.low and one.high < other.high for one, other in pairwise(ends))

    def test_with_times_only_the_time_before_the_first_line_is_predicted(self):
        found = seen(stamped(whole_log(), every=2.0))
        image = found.forecast.billed
        assert image.low == 122.0
        predicted = estimates_of().time.phases["image_pull"]
        assert (image.expected, image.high) == (122.0 + predicted.expected, 122.0 + predicted.high)
        assert row(found, "until training").measured == Interval.exact(0)
        assert row(found, "evaluations, saves").measured.low == pytest.approx(60 * 2.0 - 60 * 0.15)

    def test_updates_that_were_computed_again_are_billed_again(self):
        plain = seen(whole_log(step_seconds=10.0))
        first = [run_line(), *(update_line(step, step_seconds=10.0) for step in range(1, 31))]
        again = [run_line(after=20), *(update_line(step, step_seconds=10.0) for step in range(21, 61)), done_line(60)]
        more, predicted = seen([*first, *again]), estimates_of().time.phases
        before = [predicted[name] for name in ("image_pull", "weights_download", "data_download", "load")]
        assert more.forecast.billed.low == pytest.approx(plain.forecast.billed.low + 100)
        again_at_most = 100 + sum(phase.high for phase in before)
        assert more.forecast.billed.high == pytest.approx(plain.forecast.billed.high + again_at_most)

    def test_the_limit_stops_it(self):
        found = seen(whole_log(step_seconds=300.0)[:11])
        assert found.forecast.limit == 3600
        assert found.forecast.remaining.low > 3600
        assert found.forecast.billed_at_end.low < 3600 + 120 + 60

    def test_the_cost_is_the_price_of_what_is_billed(self):
        found = seen(whole_log(step_seconds=10.0)).forecast
        hours = found.billed_at_end.expected / 3600
        assert float(found.cost_at_end.items[0].expected) == pytest.approx(hours * 1.408)
        assert found.cost.expected < found.cost_at_end.expected

    def test_without_a_price_there_is_no_cost(self):
        instance = {**estimates_of().analysis.document.values["instance"], "price": None, "region": None}
        found = seen(whole_log(), estimates_of(instance={key: value for key, value in instance.items() if value}))
        assert found.forecast.cost is None
        assert as_json(found)["cost"] is None

    def test_a_model_that_is_not_known_has_a_pace_all_the_same(self):
        found = seen(whole_log()[:31], estimates_of(model={"id": "nobody/knows"}))
        assert found.forecast.billed is None
        remaining = seen([run_line(settings={}), *whole_log()[1:31]], estimates_of(model={"id": "nobody/knows"}))
        assert remaining.forecast.remaining.expected == pytest.approx(30 * 0.15)
        assert row(remaining, "update").verdict == "not compared"


class TestTrainerState:
    def test_one_that_a_trainer_wrote(self):
        bot = estimate(LOGS / "bot.yaml")
        found = watch_state(bot, LOGS / "trainer_state.json")
        assert found.differences == ()
        assert (found.tally.top, found.tally.metric_lines, found.tally.evaluations) == (30, 30, 3)
        assert found.tally.first_loss == pytest.approx(6.262, abs=1e-3)
        assert row(found, "update").measured is None
        assert row(found, "GPU memory").measured is None

    def test_its_losses_are_those_of_the_log(self):
        log = seen((LOGS / "resumed.log").read_bytes(), estimate(LOGS / "bot.yaml"))
        state = watch_state(estimate(LOGS / "bot.yaml"), LOGS / "trainer_state.json")
        assert state.tally.last_loss == pytest.approx(log.tally.last_loss, rel=1e-5)
        assert state.tally.evaluation_loss == pytest.approx(log.tally.evaluation_loss, rel=1e-5)

    def test_of_another_job(self, tmp_path):
        values = json.loads((LOGS / "trainer_state.json").read_text())
        (tmp_path / "s.json").write_text(json.dumps({**values, "max_steps": 300, "train_batch_size": 8}))
        assert watch_state(estimate(LOGS / "bot.yaml"), tmp_path / "s.json").differences == (
            "updates: 300 in the log, 30 in the spec",
            "micro-batch: 8 in the log, 2 in the spec",
        )

    def test_the_runtime_of_a_finished_one_is_compared(self, tmp_path):
        values = json.loads((LOGS / "trainer_state.json").read_text())
        values["log_history"].append({"step": 30, "train_runtime": 12.5, "train_loss": 5.5, "total_flos": 1.0})
        (tmp_path / "s.json").write_text(json.dumps(values))
        assert row(watch_state(estimate(LOGS / "bot.yaml"), tmp_path / "s.json"), "training").measured.low == 12.5

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('{"log_history": [{"lo', "is not JSON"),
            ("{}", "is not a trainer_state.json"),
            ('{"log_history": 3}', "is not a trainer_state.json"),
            ("[" * 100_000, "is not JSON"),
        ],
    )
    def test_another_file(self, tmp_path, text, said):
        (tmp_path / "s.json").write_text(text)
        with pytest.raises(NotALogError) as reason:
            watch_state(estimates_of(), tmp_path / "s.json")
        assert str(reason.value).startswith(said)

    @pytest.mark.parametrize(
        "entry",
        [None, 3, {}, {"step": "x", "loss": 1}, {"step": -1, "loss": 1}, {"step": 1, "loss": "nan"}, {"step": 1}],
    )
    def test_entries_of_another_form(self, tmp_path, entry):
        (tmp_path / "s.json").write_text(json.dumps({"log_history": [entry]}))
        assert watch_state(estimates_of(), tmp_path / "s.json").state

    def test_nan_as_python_writes_it(self, tmp_path):
        (tmp_path / "s.json").write_text('{"log_history": [{"step": 1, "loss": NaN}], "max_steps": 60}')
        (breach,) = watch_state(estimates_of(), tmp_path / "s.json").broken
        assert breach.text == "the loss is nan at update 1"


def test_evaluations_are_counted_once():
    lines = [run_line(), update_line(1), metrics.line(1, {"eval_loss": 2.5}), metrics.line(1, {"eval_loss": 2.5})]
    assert seen(lines).tally.evaluations == 1
