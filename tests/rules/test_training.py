"""Boundaries and messages of the rules on data, hyperparameters and the training loop (HB201 to HB221)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from judged import SPECS, judged, said

from hbspec.api import estimate
from hbspec.diagnostics import Confidence, Severity
from hbspec.estimators.job.storage import CHECKPOINTS_KEPT
from hbspec.plan.training import SAVE_STEPS
from hbspec.rules import hb214_optimizer_not_known as hb214
from hbspec.rules import hb217_nominal_counts as hb217
from hbspec.rules import hb219_scheduler_not_known as hb219
from hbspec.rules.engine import findings_of

SEED = SPECS / "heartbeat-as-written.yaml"
TEMPLATES = Path(__file__).parents[2] / "templates"


class TestSeed:
    def test_the_nominal_count_is_claimed(self):
        (found,) = (one for one in findings_of(estimate(SEED).analysis)[0] if one.code == "HB217")
        assert found.route == ("expect", "training.examples_processed")
        assert "300 x 32 = 9,600 examples (4.37 epochs) is nominal" in found.message
        assert "9,560 (4.35) are processed" in found.message
        said_with = {one.route: one.also for one in said("HB401", SEED)}
        assert said_with[found.route] == (("HB217", found.route),)

    def test_the_training_split_has_fewer_examples(self):
        (found,) = said("HB207", SEED)
        assert (found.severity, found.route) == ("error", ("data", "train", "examples"))
        assert found.message == (
            "2,198 examples are given, but the profile counts 1,758: 300 updates are 5.46 epochs, not 4.35"
        )

    def test_the_cap_is_never_reached(self):
        (found,) = said("HB206", SEED)
        assert found.message.startswith("max_length 4,096 is never reached")

    def test_the_cap_against_the_true_lengths(self, tmp_path):
        (found,) = judged("HB206", "hyperparameters: {max_length: 4096}", tmp_path)
        assert found.message == "max_length 4,096 is never reached: the longest example has 689 tokens"
        assert found.help == "use max_length: 704, which cuts nothing"
        assert (found.severity, found.confidence) == ("note", "certain")


class TestLengths:
    @pytest.mark.parametrize(("cap", "said_by"), [(688, "HB209"), (689, None), (1033, None), (1034, "HB206")])
    def test_a_cap_cuts_below_the_longest_and_is_idle_above_one_and_a_half_of_it(self, cap, said_by, tmp_path):
        fragment = f"hyperparameters: {{max_length: {cap}}}"
        for code in ("HB206", "HB209"):
            assert bool(judged(code, fragment, tmp_path)) == (code == said_by), code

    def test_unknown_lengths_decide_nothing(self, tmp_path):
        for code in ("HB206", "HB209"):
            assert judged(code, "data: {tokens: null}\nhyperparameters: {max_length: 64}", tmp_path) == []

    def test_packed_rows_reach_any_cap(self, tmp_path):
        assert judged("HB206", "hyperparameters: {max_length: 4096, packing: true}", tmp_path) == []

    def test_estimated_lengths_may_be_cut(self, tmp_path):
        profile = (Path(__file__).parent / "train.profile.json").read_text()
        (tmp_path / "wide.json").write_text(profile.replace('"max": 689', '"max": 689, "bounds": {"max": [600, 800]}'))
        fragment = "data: {tokens: null, profile: ./wide.json}\nhyperparameters: {max_length: %d}"
        for cap, confidence in ((599, "certain"), (600, "likely"), (799, "likely"), (800, None)):
            found = judged("HB209", fragment % cap, tmp_path)
            assert [diagnostic.confidence for diagnostic in found] == ([confidence] if confidence else [])

    def test_positions_are_a_limit_that_may_be_reached(self, tmp_path):
        model = "model: {id: google/gemma-2-9b}\n"
        assert judged("HB205", model + "hyperparameters: {max_length: 8192}", tmp_path) == []
        (found,) = judged("HB205", model + "hyperparameters: {max_length: 8193}", tmp_path)
        assert found.message == "max_length 8,193 is beyond the model's 8,192 positions"


class TestCounts:
    def test_steps_and_epochs_that_agree_are_no_contradiction(self, tmp_path):
        fragment = "hyperparameters: {max_steps: 207, num_train_epochs: %s}"  # 69 updates an epoch
        assert judged("HB201", fragment % 3, tmp_path) == []
        (found,) = judged("HB201", fragment % 4, tmp_path)
        assert found.message == "num_train_epochs 4 is overridden by max_steps 207: 207 updates are 3.00 epochs"

    def test_without_counts_both_are_still_one_too_many(self, tmp_path):
        fragment = "data: {train: {examples: null}}\nhyperparameters: {max_steps: 207, num_train_epochs: 3}"
        (found,) = judged("HB201", fragment, tmp_path)
        assert found.message == "num_train_epochs 3 is overridden by max_steps 207"

    def test_a_small_difference_is_told_only_to_who_claims_the_product(self, tmp_path):
        assert judged("HB217", "", tmp_path) == []  # 9,600 nominal, 9,568 processed
        assert judged("HB217", "expect: {training.examples_processed: 9568}", tmp_path) == []
        assert judged("HB217", "expect: {training.examples_processed: 9000..10000}", tmp_path) == []
        (found,) = judged("HB217", "expect: {training.examples_processed: 9.6K}", tmp_path)
        assert found.route == ("expect", "training.examples_processed")

    def test_a_product_that_nothing_hangs_on_is_not_reported(self, tmp_path):
        for steps in ("max_steps: 8", "max_steps: null, num_train_epochs: 3", "max_steps: 8, packing: true"):
            fragment = f"data: {{train: {{examples: 100}}}}\nhyperparameters: {{{steps}}}"
            assert judged("HB217", fragment, tmp_path) == []

    def test_a_budget_that_the_product_would_exceed(self, tmp_path):
        fragment = "data: {train: {examples: 100}}\nhyperparameters: {max_steps: 800}\n"
        judged("HB217", fragment, tmp_path)
        cost = estimate(tmp_path / "spec.yaml").cost.high  # 25,600 nominal, 20,000 processed
        (found,) = judged("HB217", f"{fragment}budget: {{max_cost: {float(cost) + 1:.2f} USD}}", tmp_path)
        assert found.route == ("budget", "max_cost")
        assert judged("HB217", f"{fragment}budget: {{max_cost: {float(cost) * 2:.2f} USD}}", tmp_path) == []

    def test_within_the_first_epoch_both_counts_are_one(self, tmp_path):
        fragment = "hyperparameters: {max_steps: 68}\nexpect: {training.examples_processed: 2176}"
        assert judged("HB217", fragment, tmp_path) == []

    def test_packed_rows_are_no_examples(self, tmp_path):
        fragment = "data: {train: {examples: 100}}\nhyperparameters: {max_steps: 8, packing: true}\n"
        judged("HB217", fragment + "expect: {training.examples_processed: 474}", tmp_path)
        (found,) = hb217.check(estimate(tmp_path / "spec.yaml").analysis)
        assert found.message.startswith("8 x 32 packed rows, about 474 examples")  # 54 rows hold the 100

    def test_examples_below_an_update_have_one_message(self, tmp_path):
        fragment = "data: {train: {examples: %d}}\nhyperparameters: {max_steps: 3}"
        assert judged("HB217", fragment % 31, tmp_path) == []
        assert len(judged("HB218", fragment % 31, tmp_path)) == 1
        assert judged("HB218", fragment % 32, tmp_path) == []

    def test_ten_epochs_are_not_many(self, tmp_path):
        fragment = "hyperparameters: {max_steps: null, num_train_epochs: %s}"
        assert judged("HB211", fragment % 9.9, tmp_path) == []
        (found,) = judged("HB211", fragment % 11, tmp_path)
        assert found.route == ("hyperparameters", "num_train_epochs")
        assert "2,198 examples 11.0 times" in found.message

    def test_ddp_without_a_smaller_accumulation_is_many(self, tmp_path):
        (found,) = judged("HB211", "hyperparameters: {gradient_accumulation_steps: 32}", tmp_path)
        assert "33.4 times (nominally 34.9)" in found.message

    def test_the_profile_agrees(self, tmp_path):
        fragment = "data: {profile: ./train.profile.json, train: {examples: 1758}}"
        (tmp_path / "train.profile.json").write_text((Path(__file__).parent / "train.profile.json").read_text())
        assert judged("HB207", fragment, tmp_path) == []

    def test_the_steps_of_an_epoch_follow_the_profile(self, tmp_path):
        (tmp_path / "train.profile.json").write_text((Path(__file__).parent / "train.profile.json").read_text())
        fragment = "data: {profile: ./train.profile.json}\nhyperparameters: {max_steps: null, num_train_epochs: 2}"
        (found,) = judged("HB207", fragment, tmp_path)
        assert "110 updates are 2.00 epochs" in found.message


class TestSchedule:
    @pytest.mark.parametrize(("warmup", "errors"), [("warmup_steps: 299", 0), ("warmup_steps: 300", 1)])
    def test_a_warm_up_ends_before_the_run(self, warmup, errors, tmp_path):
        assert len(judged("HB202", f"hyperparameters: {{{warmup}}}", tmp_path)) == errors

    def test_a_share_of_all(self, tmp_path):
        assert len(judged("HB202", "hyperparameters: {warmup_ratio: 1.0}", tmp_path)) == 1
        assert judged("HB202", "hyperparameters: {warmup_ratio: 0.99}", tmp_path) == []

    def test_the_run_may_be_counted_in_epochs(self, tmp_path):
        fragment = "hyperparameters: {max_steps: null, num_train_epochs: 1, warmup_steps: %d}"
        assert len(judged("HB202", fragment % 69, tmp_path)) == 1
        assert judged("HB202", fragment % 68, tmp_path) == []

    def test_what_is_left_open_is_a_multiple(self, tmp_path):
        fragment = "hyperparameters: {load_best_model_at_end: true, eval_steps: 30, save_steps: %s}"
        assert judged("HB203", fragment % "null", tmp_path) == []
        (found,) = judged("HB203", fragment % 50, tmp_path)
        assert found.message.startswith("save_steps 50 is no multiple of eval_steps 30")
        assert found.fixes[0].value == 60

    def test_the_best_of_nothing(self, tmp_path):
        (found,) = judged("HB203", "hyperparameters: {load_best_model_at_end: true}", tmp_path)
        assert found.route == ("hyperparameters", "load_best_model_at_end")

    def test_the_last_update_is_soon_enough_for_a_checkpoint(self, tmp_path):
        assert judged("HB216", "hyperparameters: {save_steps: 300}", tmp_path) == []
        assert len(judged("HB216", "hyperparameters: {save_steps: 301}", tmp_path)) == 1


class TestAdapters:
    def test_every_misspelled_target_has_its_own_place(self, tmp_path):
        found = judged("HB204", "hyperparameters: {target_modules: [qkv_proj, q_proj, wv]}", tmp_path)
        assert [diagnostic.route[-1] for diagnostic in found] == [0, 2]

    def test_names_follow_the_architecture(self, tmp_path):
        fragment = "model: {id: %s}\nhyperparameters: {target_modules: [qkv_proj]}"
        assert judged("HB204", fragment % "microsoft/phi-4", tmp_path) == []
        assert len(judged("HB204", fragment % "Qwen/Qwen2.5-7B", tmp_path)) == 1

    @pytest.mark.parametrize(
        ("name", "near"), [("lm_hea", "lm_head"), ("LM_HEAD", "lm_head"), ("embed-tokens", "embed_tokens")]
    )
    def test_a_module_to_save_that_is_nowhere_is_never_trained(self, name, near, tmp_path):
        (found,) = judged("HB224", f"hyperparameters: {{modules_to_save: [lm_head, {name}]}}", tmp_path)
        assert found.route == ("hyperparameters", "modules_to_save", 1)
        assert (found.severity, found.help) == (Severity.ERROR, f"did you mean {near}?")
        assert [fix.value for fix in found.fixes] == [near]

    @pytest.mark.parametrize("name", ["lm_head", "head", "embed_tokens", "norm", "self_attn.q_proj", "mlp"])
    def test_a_module_to_save_is_an_ending_a_path_or_a_container(self, name, tmp_path):
        assert judged("HB224", f"hyperparameters: {{modules_to_save: [{name}]}}", tmp_path) == []

    def test_a_script_of_ones_own_may_have_other_heads(self, tmp_path):
        saved = "hyperparameters: {modules_to_save: [score]}"
        assert judged("HB224", saved, tmp_path)[0].severity is Severity.ERROR
        (tmp_path / "train.py").write_text("")
        (found,) = judged("HB224", f"{saved}\nscript: {{entry_point: train.py}}", tmp_path)
        assert (found.severity, found.confidence) == (Severity.WARNING, Confidence.LIKELY)

    def test_nothing_is_said_of_modules_where_the_architecture_is_not_known(self, tmp_path):
        fragment = "model: {id: acme/unheard-of-7B}\nhyperparameters: {modules_to_save: [lm_hea]}"
        assert judged("HB224", fragment, tmp_path) == []

    def test_the_narrowest_module_counts(self, tmp_path):
        fragment = "hyperparameters: {target_modules: [%s], lora_r: %d}"
        assert judged("HB208", fragment % ("k_proj", 1024), tmp_path) == []
        (found,) = judged("HB208", fragment % ("q_proj, k_proj", 1025), tmp_path)
        assert found.message == "lora_r 1,025 is above the width of k_proj, 1,024 x 5,120"
        assert judged("HB208", fragment % ("q_proj", 1025), tmp_path) == []

    def test_experts_were_modules_before_version_5(self, tmp_path):
        fragment = "model: {id: openai/gpt-oss-20b}\nsoftware: {transformers: %s}"
        assert judged("HB212", fragment % "4.57.0", tmp_path) == []
        (found,) = judged("HB212", fragment % "5.0.0", tmp_path)
        dtype = estimate(tmp_path / "spec.yaml").plan.training.weights_dtype
        size = {"float32": "76.4 GB", "bfloat16": "38.2 GB"}[dtype]  # 19.1 billion parameters
        assert found.message.endswith(f"unquantised (transformers 5.0.0): {size} in {dtype}")

    def test_dropout_on_fused_experts_only_and_none_is_assumed(self, tmp_path):
        fragment = "model: {id: mistralai/Mixtral-8x7B-v0.1}\nhyperparameters: {lora_dropout: %s, target_modules: %s}"
        assert len(judged("HB221", fragment % (0.05, "all-linear"), tmp_path)) == 1
        assert judged("HB221", fragment % (0.05, "[q_proj]"), tmp_path) == []
        assert judged("HB221", fragment % ("null", "all-linear"), tmp_path) == []


class TestNames:
    """The lists that rules hold are those of the script and of transformers."""

    @pytest.fixture
    def script(self):
        found = importlib.util.spec_from_file_location("settings_of_the_script", TEMPLATES / "settings.py")
        module = importlib.util.module_from_spec(found)
        import sys

        sys.modules[found.name] = module  # dataclasses look their module up
        found.loader.exec_module(module)
        yield module
        del sys.modules[found.name]

    def test_of_the_shipped_script(self, script):
        assert hb214.SHIPPED == script.OPTIMIZERS
        assert hb219.SHIPPED == script.SCHEDULERS
        assert script.defaults()["SAVE_STEPS"] == SAVE_STEPS
        assert script.defaults()["SAVE_TOTAL_LIMIT"] == CHECKPOINTS_KEPT

    def test_of_transformers(self):
        from transformers.trainer_utils import SchedulerType
        from transformers.training_args import OptimizerNames

        assert sorted(hb214.SHIPPED + hb214.OTHERS) == sorted(name.value for name in OptimizerNames)
        assert sorted(hb219.SHIPPED + hb219.OTHERS) == sorted(name.value for name in SchedulerType)

    @pytest.mark.parametrize(
        ("code", "value"), [("HB214", "optim: galore_adamw"), ("HB219", "lr_scheduler_type: warmup_stable_decay")]
    )
    def test_a_script_of_ones_own_may_take_all_of_them(self, code, value, tmp_path):
        own = "script: {entry_point: base.yaml}\n"
        assert judged(code, f"{own}hyperparameters: {{{value}}}", tmp_path) == []
        (found,) = judged(code, f"hyperparameters: {{{value}}}", tmp_path)
        assert "the shipped script" in found.message
        assert found.fixes == ()
