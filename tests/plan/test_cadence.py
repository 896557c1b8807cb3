"""Checkpoints and evaluations that are counted by epochs, against the trainer that counts them."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pytest

from hbspec.api import estimate

BASE = Path(__file__).parent.parent / "rules" / "base.yaml"
EPOCHS = "hyperparameters: {max_steps: null, num_train_epochs: 2, "


def plan_of(fragment: str, folder: Path):
    """The plan of a fragment over the base: 2,198 examples, 32 an update, so that an epoch has 69 updates."""
    (folder / "base.yaml").write_text(BASE.read_text())
    (folder / "spec.yaml").write_text(f"extends: ./base.yaml\n{fragment}\n")
    return estimate(folder / "spec.yaml").plan


@pytest.mark.parametrize("often", [1, 2, 4, 7])
def test_checkpoints_of_an_epoch_are_as_far_apart_as_axolotl_s_share_of_the_updates(often, tmp_path):
    plan = plan_of(f"{EPOCHS}saves_per_epoch: {often}}}", tmp_path)
    updates = plan.counts.optimizer_steps
    assert updates == 2 * plan.counts.steps_per_epoch
    assert plan.saves_every == ceil(updates * (1 / (often * 2)))


def test_an_epoch_is_one(tmp_path):
    said, counted = (
        plan_of(f"{EPOCHS}{keys}}}", tmp_path)
        for keys in ("save_strategy: epoch, eval_strategy: epoch", "saves_per_epoch: 1, evals_per_epoch: 1")
    )
    assert said.saves_every == counted.saves_every == said.counts.steps_per_epoch
    assert said.evaluations == counted.evaluations == 2


def test_a_part_of_an_epoch_is_evaluated_too(tmp_path):
    assert plan_of("hyperparameters: {max_steps: 100, evals_per_epoch: 1}", tmp_path).evaluations == 2


def test_without_a_strategy_of_saving_nothing_is_kept(tmp_path):
    plan = plan_of(f"script: {{entry_point: train.py}}\n{EPOCHS}save_strategy: 'no'}}", tmp_path)
    assert plan.saves_every is None


def test_the_best_checkpoint_is_one_that_is_evaluated(tmp_path):
    plan = plan_of(f"{EPOCHS}evals_per_epoch: 3, load_best_model_at_end: true}}", tmp_path)
    assert plan.training.saves_per_epoch == 3
    assert any(one.route[-1] == "saves_per_epoch" and one.differs for one in plan.assumptions)


def test_an_epoch_of_which_nobody_knows_the_updates_is_not_known(tmp_path):
    fragment = "data: {train: {uri: 's3://bucket/train/', examples: null}}\nhyperparameters: {saves_per_epoch: 2}"
    plan = plan_of(fragment, tmp_path)
    assert plan.training.save_steps is None
    with pytest.raises(Exception, match=r"data\.train\.examples"):
        _ = plan.saves_every
