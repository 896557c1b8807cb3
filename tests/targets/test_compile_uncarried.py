"""What hbspec does not write into other frameworks' configurations is refused at its key."""

from __future__ import annotations

import pytest
from compiled import BASE, refusals


@pytest.mark.parametrize("target", ["trl", "axolotl", "llamafactory"])
@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("task=pretrain", "task"),
        ("hyperparameters.max_length=none", "hyperparameters.max_length"),
        ("hyperparameters.saves_per_epoch=2", "hyperparameters.saves_per_epoch"),
        ("hyperparameters.save_strategy=epoch", "hyperparameters.save_strategy"),
        ("hyperparameters.layers_to_transform=[1, 2]", "hyperparameters.layers_to_transform"),
        ("hyperparameters.lr_scheduler_kwargs={num_cycles: 2}", "hyperparameters.lr_scheduler_kwargs"),
        ("hyperparameters.adam_beta2=0.95", "hyperparameters.adam_beta2"),
        ("hyperparameters.target_modules=default", "hyperparameters.target_modules"),
    ],
)
def test_it_is_refused_at_its_key(target, override, key):
    assert ("HB542", key) in refusals(BASE, target, override, force=True)
