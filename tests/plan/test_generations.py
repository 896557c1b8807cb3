"""What GRPO generates together, beside TRL's own sampler and configuration."""

from __future__ import annotations

from math import ceil

import pytest
from trl import GRPOConfig
from trl.trainer.utils import RepeatSampler

from hbspec.plan.generations import Generations


def trained(prompts, rows, ranks, group, steps, iterations):
    """Micro-batches of each process in an epoch, by TRL's sampler.

    Of a sampler's items each process gets its share in batches of rows x steps, of which every one is trained on in as
    many micro-batches (`get_train_dataloader`, `_prepare_inputs`).
    """
    sampler = RepeatSampler(
        data_source=range(prompts),
        mini_repeat_count=group,
        batch_size=rows * ranks * steps // group,
        repeat_count=iterations * steps,
        shuffle=False,
    )
    return ceil(len(list(sampler)) / (rows * steps * ranks))


@pytest.mark.parametrize(
    ("prompts", "rows", "ranks", "group", "steps", "iterations"),
    [(100, 1, 8, 8, 4, 1), (101, 2, 4, 4, 1, 1), (103, 4, 1, 2, 3, 2), (7, 8, 2, 8, 1, 1), (64, 8, 1, 8, 8, 4)],
)
def test_an_epoch_has_as_many_micro_batches_as_the_sampler_gives(prompts, rows, ranks, group, steps, iterations):
    found = Generations(group, steps, rows * ranks * steps, iterations)
    assert found.micro_batches(prompts) == trained(prompts, rows, ranks, group, steps, iterations)


@pytest.mark.parametrize(
    ("given", "steps"), [({}, 4), ({"steps_per_generation": 2}, 2), ({"generation_batch_size": 24}, 3)]
)
def test_what_is_generated_together_is_what_the_configuration_makes_of_it(given, steps, tmp_path):
    made = GRPOConfig(
        str(tmp_path), per_device_train_batch_size=8, gradient_accumulation_steps=4, use_cpu=True, bf16=False, **given
    )
    assert (made.steps_per_generation, made.generation_batch_size) == (steps, 8 * steps)
    from hbspec.plan.generations import generations
    from hbspec.spec import Spec

    spec = Spec.model_validate(
        {
            "hbspec": 1,
            "name": "n",
            "task": "grpo",
            "model": {},
            "instance": {},
            "hyperparameters": {
                "learning_rate": 1e-6,
                "per_device_batch_size": 8,
                "gradient_accumulation_steps": 4,
                "max_length": 1024,
                **given,
            },
        }
    )
    found = generations(spec, 1)
    assert (found.group, found.steps, found.batch) == (made.num_generations, steps, made.generation_batch_size)
