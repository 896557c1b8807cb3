from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location

import pytest
from planned import P4D, planned

from hbspec.catalog.limits import STOP_SECONDS
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.job.phases import save, sync
from hbspec.estimators.job.step_time import usual_step
from hbspec.estimators.job.stop import GRACE_SECONDS, stop
from hbspec.estimators.step.duration import micro_batch
from hbspec.targets.job.source_folder import LAUNCHER, templates
from hbspec.units import Interval

KEPT = {"sagemaker": {"checkpoints": "s3://heartbeat/checkpoints/"}}
DDP = {**P4D, "parallelism": "ddp"}


def test_the_plan_counts_on_the_time_that_the_launcher_gives() -> None:
    spec = spec_from_file_location("launcher", templates() / LAUNCHER)
    assert spec is not None
    assert spec.loader is not None
    launcher = module_from_spec(spec)
    spec.loader.exec_module(launcher)
    assert launcher.GRACE_SECONDS == GRACE_SECONDS < STOP_SECONDS


def test_a_stop_is_a_micro_batch_of_the_longest_row_and_a_checkpoint_that_outlives_the_instance() -> None:
    plan = planned(instance=DDP, sections=KEPT, tokens=(374.0, 689))
    found, usual = stop(plan), usual_step(plan)
    assert plan.hardware is not None
    assert plan.checkpoint_bytes is not None
    assert found.micro_batch.expected == usual.micro_batch.expected + usual.update.expected
    longest = micro_batch(plan, 689).seconds().high
    assert longest > usual.micro_batch.high
    assert found.micro_batch.high == pytest.approx(longest + usual.update.high)
    assert found.checkpoint == save(plan.checkpoint_bytes, plan.hardware) + sync(plan.checkpoint_bytes)
    assert found.total == found.micro_batch + found.checkpoint
    lost = plan._replace(checkpoints_survive=False)
    assert stop(lost).checkpoint == save(plan.checkpoint_bytes, plan.hardware)


def test_accumulation_makes_no_stop_longer() -> None:
    """The run ends within an update."""
    few, many = (stop(planned(instance=DDP, gradient_accumulation_steps=count)) for count in (1, 64))
    assert few.total == many.total


def test_what_is_longer_takes_longer() -> None:
    usual = stop(planned(instance=DDP, sections=KEPT))
    assert stop(planned(instance=DDP, sections=KEPT, per_device_batch_size=8)).micro_batch.low > usual.micro_batch.high
    saved = stop(planned(instance=DDP, sections=KEPT, modules_to_save=["lm_head"]))
    assert saved.checkpoint.expected > 2 * usual.checkpoint.expected


def test_at_the_author_s_own_rate_the_longest_row_counts_too() -> None:
    plan = planned(instance=DDP, tokens=(374.0, 689))._replace(measured_tokens_per_second=100.0)
    usual = usual_step(plan).micro_batch
    assert usual.expected == pytest.approx(374 / 100)
    assert stop(plan).micro_batch.high == pytest.approx(usual.high * 689 / 374)


def test_what_is_not_known_is_said() -> None:
    with pytest.raises(NotKnownError, match="instance type"):
        stop(planned(instance={**P4D, "type": "ml.none.xlarge"}))


def test_a_stop_of_nothing_saved_is_not_free() -> None:
    found = stop(planned(instance=DDP)).total
    assert isinstance(found, Interval)
    assert 0 < found.low < found.expected < found.high
