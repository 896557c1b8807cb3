"""TRL's files, alone and with accelerate's beside them."""

from __future__ import annotations

from frontends_cases import ACCELERATE, TRL, found

TRAINING = "hyperparameters"


def test_defaults_of_trl_sft(opened):
    document = opened(TRL)
    given, defaults = document.values[TRAINING], document.translated.defaults
    assert given["method"] == "full"
    assert given["gradient_checkpointing"] is True
    assert (given["bf16"], document.values["software"]["weights_dtype"]) == (True, "float32")
    assert defaults["software", "weights_dtype"] == "TRL's default, trainer/model_config.py (dtype)"
    assert found(document) == []


def test_defaults_are_those_of_the_installed_trl():
    import dataclasses

    from trl import ModelConfig, SFTConfig

    from hbspec.frontends.known.trl import ADAPTER_DEFAULTS, DEFAULTS

    usual = {field.name: field.default for kind in (SFTConfig, ModelConfig) for field in dataclasses.fields(kind)}
    usual["per_device_batch_size"] = usual["per_device_train_batch_size"]
    usual["optim"] = usual["optim"] or "adamw_torch_fused"
    pinned = [
        entry
        for entry in (*DEFAULTS, *ADAPTER_DEFAULTS)
        if entry[2].startswith(("TRL's default", "transformers' default, "))
    ]
    assert len(pinned) > 8
    taken = {}
    for route, value, _ in pinned:
        taken.setdefault(route[-1], value)
    assert {key: usual[key] for key in taken} == taken


def test_adapters_go_where_peft_puts_them(opened):
    document = opened(f"{TRL}use_peft: true\nload_in_4bit: true\n")
    given = document.values[TRAINING]
    assert (given["method"], given["target_modules"]) == ("qlora", ["q_proj", "v_proj"])
    assert (given["bnb_double_quant"], given["bnb_4bit_quant_storage"]) == (False, "uint8")
    assert "peft" in document.translated.defaults[TRAINING, "target_modules"]


def test_keys_of_earlier_versions_are_read_and_named(opened):
    document = opened(TRL.replace("max_length", "max_seq_length") + "torch_dtype: bfloat16\n")
    assert document.values[TRAINING]["max_length"] == 2048
    assert document.values["software"]["weights_dtype"] == "bfloat16"
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
    assert ("HB029", "max_length") in found(document)
    assert document.translated.may_need("more") == "TRL's max_length"


def test_a_task_beyond_supervised_tuning_is_refused(opened):
    assert ("HB027", "num_generations") in found(opened(f"{TRL}num_generations: 8\n"))


def test_evaluations_by_epoch_and_by_steps(opened):
    by_epoch = opened(f"{TRL}eval_strategy: epoch\nnum_train_epochs: 2\n").values[TRAINING]
    assert (by_epoch["eval_steps"], by_epoch["per_device_eval_batch_size"]) == (0.5, 8)
    by_steps = opened(f"{TRL}eval_strategy: steps\neval_steps: 100\n").values[TRAINING]
    assert by_steps["eval_steps"] == 100


def test_deepspeed_s_json_stands_beside_it(opened):
    document = opened(TRL, '{"zero_optimization": {"stage": 2}, "train_micro_batch_size_per_gpu": "auto"}')
    assert document.values["instance"]["parallelism"] == "zero2"
    assert document.values["instance"]["deepspeed"] == "0.yaml"
    assert document.origin(("instance", "deepspeed")) == document.directory
