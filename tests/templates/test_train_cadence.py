"""Saves and evaluations that are counted by epochs, once the trainer knows how many updates an epoch has."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from handover import parse
from settings import RefusedError

BEST = ("--MODEL_ID", "m", "--LOAD_BEST_MODEL_AT_END", "true")


def spaced(updates: int, saves: int | None, evaluations: int | None, *, best: bool = False) -> SimpleNamespace:
    from best_model import Best

    arguments = SimpleNamespace(save_steps=50, eval_steps=None, load_best_model_at_end=best)
    trainer = SimpleNamespace(args=arguments)
    Best.space(trainer, updates, saves, evaluations)
    return SimpleNamespace(args=arguments, parted=lambda: Best.parted(trainer, 2 * updates))


@pytest.mark.parametrize(("updates", "often", "apart"), [(38, 1, 38), (38, 2, 19), (7, 2, 4), (3, 9, 1)])
def test_updates_between_saves(updates: int, often: int, apart: int) -> None:
    found = spaced(updates, often, often).args
    assert (found.save_steps, found.eval_steps) == (apart, apart)


def test_what_is_not_counted_by_epochs_stays() -> None:
    assert vars(spaced(38, None, 2).args) == {"save_steps": 50, "eval_steps": 19, "load_best_model_at_end": False}


def test_checkpoints_that_are_not_evaluated_are_refused_for_the_best_one() -> None:
    assert spaced(38, 1, 2, best=True).parted() == []
    (said,) = spaced(38, 2, 1, best=True).parted()
    assert "SAVE_STEPS=19" in said


def test_whether_they_meet_is_not_known_before() -> None:
    parse([*BEST, "--EVALS_PER_EPOCH", "2"], {})
    with pytest.raises(RefusedError, match="LOAD_BEST_MODEL_AT_END"):
        parse([*BEST, "--SAVES_PER_EPOCH", "2"], {})


def test_no_cap_and_further_arguments_parse() -> None:
    more = ["--MAX_LENGTH", "none", "--LR_SCHEDULER_KWARGS", '{"num_cycles": 2}', "--LAYERS_TO_TRANSFORM", "[0, 3]"]
    found = parse(["--MODEL_ID", "m", *more], {}).settings
    assert found.MAX_LENGTH is None
    assert found.LR_SCHEDULER_KWARGS == {"num_cycles": 2}
    assert found.LAYERS_TO_TRANSFORM == (0, 3)
