"""HB248: the effective batch."""

from __future__ import annotations

from judged import codes, edge, judged

MUCH = "data: {train: {examples: 2000000}}\ninstance: {max_runtime: null}\nbudget: null\n"
LONG = f"{MUCH}hyperparameters: {{max_steps: 50, save_steps: 25}}"


def test_edge(tmp_path):
    edge("HB248", LONG, "hyperparameters.gradient_accumulation_steps", 512, 513, tmp_path)


def test_the_larger_factor_is_named(tmp_path):
    (found,) = judged("HB248", f"{MUCH}hyperparameters: {{gradient_accumulation_steps: 1024}}", tmp_path)
    assert found.route == ("hyperparameters", "gradient_accumulation_steps")
    assert found.message == "an update takes 1 x 1,024 x 8 = 8,192 examples, more than 4,096"
    fragment = f"{MUCH}hyperparameters: {{gradient_accumulation_steps: 8, per_device_batch_size: 128, max_length: 16}}"
    (found,) = judged("HB248", fragment, tmp_path)
    assert found.route == ("hyperparameters", "per_device_batch_size")


def test_what_follows_from_it_is_not_said_too(tmp_path):
    assert codes("hyperparameters: {max_steps: null, gradient_accumulation_steps: 4096}", tmp_path) == {"HB248"}


def test_a_recipe_of_512_examples(tmp_path):
    assert "HB248" not in codes(LONG, tmp_path, ["hyperparameters.gradient_accumulation_steps=64"])
