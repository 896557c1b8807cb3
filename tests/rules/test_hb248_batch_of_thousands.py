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


def test_edge_of_a_few_updates_an_epoch(tmp_path):
    fragment = "hyperparameters: {max_steps: null, num_train_epochs: 3, gradient_accumulation_steps: 65}\n"
    fragment += "budget: null\ninstance: {max_runtime: null}"  # 520 examples an update
    edge("HB248", fragment, "data.train.examples", 4681, 4680, tmp_path)


def test_a_small_batch_of_a_small_data_set(tmp_path):
    assert "HB248" not in codes("data: {train: {examples: 200}}\nhyperparameters: {max_steps: 20}", tmp_path)


def test_the_updates_of_an_epoch_are_named(tmp_path):
    (found,) = judged("HB248", "hyperparameters: {max_steps: null, gradient_accumulation_steps: 128}", tmp_path)
    assert found.message == (
        "an update takes 1 x 128 x 8 = 1,024 examples, which leaves 3 updates an epoch of 2,198 rows"
    )


def test_a_claim_to_the_batch_that_was_meant_follows(tmp_path):
    fragment = "hyperparameters: {max_steps: null, gradient_accumulation_steps: 512}\n"
    assert codes(fragment + "expect: {training.effective_batch_size: 32}", tmp_path) == {"HB248"}
