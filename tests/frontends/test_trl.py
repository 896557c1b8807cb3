"""TRL's files, alone and with accelerate's beside them."""

from __future__ import annotations

import pytest
from frontends_cases import ACCELERATE, TRL, found, weights

from hbspec.frontends.reading.front import ForeignReader
from hbspec.source import load

TRAINING = "hyperparameters"


def test_defaults_of_trl_sft(opened):
    document = opened(TRL)
    given, defaults = document.values[TRAINING], document.translated.defaults
    assert given["method"] == "full"
    assert given["gradient_checkpointing"] is True
    assert (given["bf16"], document.values["software"]["weights_dtype"]) == (True, "float32")
    assert "trl/trainer/model_config.py" in defaults["software", "weights_dtype"]
    assert found(document) == []


def test_adapters_go_where_peft_puts_them(opened):
    document = opened(f"{TRL}use_peft: true\nload_in_4bit: true\n")
    given = document.values[TRAINING]
    assert (given["method"], given["target_modules"]) == ("qlora", "default")
    assert (given["bnb_double_quant"], given["bnb_4bit_quant_storage"]) == (False, "uint8")
    assert "lora_target_modules" in document.translated.defaults[TRAINING, "target_modules"]


def test_keys_of_earlier_versions_are_read_and_named(opened):
    document = opened(TRL.replace("max_length", "max_seq_length") + "torch_dtype: bfloat16\n")
    assert document.values[TRAINING]["max_length"] == 2048
    assert (weights(document, "ddp"), weights(document, "fsdp")) == ("bfloat16", "float32"), "as accelerate widens them"
    assert found(document) == [("HB028", "max_seq_length"), ("HB028", "torch_dtype")]


def test_accelerate_s_file_says_how_the_gpus_share_the_work(opened):
    document = opened(TRL, ACCELERATE)
    assert document.values["instance"]["parallelism"] == "zero3"
    assert document.span(("instance", "parallelism")).file.endswith("0.yaml")
    second = ACCELERATE.replace("DEEPSPEED", "FSDP").replace("deepspeed_config", "fsdp_config")
    sharded = opened(TRL, second.replace("zero_stage: 3", "fsdp_version: 2\n  fsdp_offload_params: true"))
    instance = sharded.values["instance"]
    assert (instance["parallelism"], instance["fsdp_version"], instance["offload"]) == ("fsdp", 2, "all")


def test_a_part_of_a_spec_counts_above_the_file(opened):
    document = opened(TRL, "budget: {max_cost: 100 USD}\nhyperparameters: {max_length: 512}\n")
    assert document.values["budget"] == {"max_cost": "100 USD"}
    assert document.values[TRAINING]["max_length"] == 512


def test_no_cap_is_not_the_default_cap(opened):
    document = opened(TRL.replace("max_length: 2048", "max_length: null"))
    assert document.values[TRAINING]["max_length"] == "none"
    assert found(document) == []


def test_a_task_beyond_supervised_tuning_is_refused(opened):
    assert ("HB027", "num_generations") in found(opened(f"{TRL}num_generations: 8\n"))


def test_the_task_is_that_of_the_trainer_whose_keys_they_are(opened):
    for line, task, rate in (
        ("f_divergence_type: reverse_kl", "dpo", 1e-6),
        ("beta: 0.1\nloss_type: apo_zero", "dpo", 1e-6),
        ("beta: 0.1\nloss_type: kto", "kto", 1e-6),
        ("desirable_weight: 2.0", "kto", 1e-6),
        ("center_rewards_coefficient: 0.01", "reward", 1e-4),
    ):
        document = opened(f"{TRL}{line}\n".replace("learning_rate: 1.0e-5\n", ""))
        assert (document.values["task"], found(document)) == (task, []), line
        assert document.values[TRAINING]["learning_rate"] == rate
    unclear = opened(f"{TRL}beta: 0.1\n")
    assert (unclear.values["task"], found(unclear)) == ("dpo", [("HB029", "beta")])


@pytest.mark.parametrize(
    ("path", "task", "said"),
    [("dpo/config.yaml", "dpo", []), ("kto-full.yaml", "kto", []), ("orpo/config.yaml", None, [("HB027", "beta")])],
)
def test_the_path_says_which_trainer_reads_keys_of_several(tmp_path, path, task, said):
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{TRL}beta: 0.1\n")
    document = load(file, overrides=("instance.type=ml.p4de.24xlarge",), reader=ForeignReader())
    assert (document.values.get("task"), found(document)) == (task, said)


def test_learning_rates_are_those_of_the_installed_trl():
    import trl

    from hbspec.frontends.trl import RATES

    configs = {"dpo": trl.DPOConfig, "kto": trl.KTOConfig, "reward": trl.RewardConfig}
    assert {task: config.learning_rate for task, config in configs.items()} == RATES


def test_evaluations_by_epoch_and_by_steps(opened):
    by_epoch = opened(f"{TRL}eval_strategy: epoch\nnum_train_epochs: 2\n").values[TRAINING]
    assert (by_epoch["eval_strategy"], by_epoch["per_device_eval_batch_size"]) == ("epoch", 8)
    by_steps = opened(f"{TRL}eval_strategy: steps\neval_steps: 100\n").values[TRAINING]
    assert by_steps["eval_steps"] == 100


def test_deepspeed_s_json_stands_beside_it(opened):
    document = opened(TRL, '{"zero_optimization": {"stage": 2}, "train_micro_batch_size_per_gpu": "auto"}')
    assert document.values["instance"]["parallelism"] == "zero2"
    assert document.values["instance"]["deepspeed"] == "0.yaml"
    assert document.origin(("instance", "deepspeed")) == document.directory
