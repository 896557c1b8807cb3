"""LLaMA-Factory's files: keys, and the dtypes that its loader chooses."""

from __future__ import annotations

from frontends_cases import LLAMA_FACTORY, found, weights

from hbspec.frontends.reading.front import ForeignReader
from hbspec.source import load

TRAINING = "hyperparameters"


def test_keys_and_defaults(opened):
    document = opened(LLAMA_FACTORY)
    given = document.values[TRAINING]
    assert (given["method"], given["max_length"], given["lora_r"], given["lora_alpha"]) == ("lora", 4096, 16, 32)
    assert (given["gradient_checkpointing"], given["use_reentrant"], given["lora_dropout"]) == (True, True, 0.0)
    assert document.values["software"]["adapter_dtype"] == "float32"
    assert found(document) == []


def test_four_bits_are_stored_in_the_compute_dtype(opened):
    given = opened(f"{LLAMA_FACTORY}quantization_bit: 4\n").values[TRAINING]
    assert (given["method"], given["bnb_double_quant"], given["bnb_4bit_quant_storage"]) == ("qlora", True, "bfloat16")


def test_weights_that_are_all_trained_are_float32_but_under_zero3(opened):
    full = LLAMA_FACTORY.replace("finetuning_type: lora", "finetuning_type: full")
    assert weights(opened(full)) == "float32"
    sharded = opened(f"{full}deepspeed: examples/deepspeed/ds_z3_config.json\n")
    assert (sharded.values["instance"]["parallelism"], weights(sharded)) == ("zero3", "bfloat16")
    assert weights(sharded, "ddp") == "float32", "leaving ZeRO-3, as a search would, upcasts them"
    assert weights(opened(LLAMA_FACTORY), method="full") == "float32"
    pure = opened(f"{full}pure_bf16: true\n")
    assert (weights(pure), weights(pure, "fsdp"), pure.values["software"]["autocast"]) == (
        "bfloat16",
        "bfloat16",
        False,
    )


def test_adapters_are_float32_in_any_case(opened):
    for line in ("pure_bf16: true", "deepspeed: ds_z3_config.json", "quantization_bit: 4"):
        assert opened(f"{LLAMA_FACTORY}{line}\n").values["software"]["adapter_dtype"] == "float32", line


def test_stages_that_are_tasks(opened):
    document = opened(LLAMA_FACTORY.replace("stage: sft", "stage: dpo\npref_beta: 0.2\npref_loss: hinge"))
    assert (document.values["task"], document.values["data"]["type"]) == ("dpo", "preference")
    assert (document.values[TRAINING]["beta"], document.values[TRAINING]["loss_type"]) == (0.2, "hinge")
    assert document.translated.may_need("more") == "LLaMA-Factory's stage", "its trainer holds all logits"
    assert opened(LLAMA_FACTORY.replace("stage: sft", "stage: pt")).values["task"] == "pretrain"
    assert found(opened(LLAMA_FACTORY.replace("stage: sft", "stage: rm"))) == [("HB029", "stage")]
    simple = LLAMA_FACTORY.replace("stage: sft", "stage: dpo\npref_loss: simpo")
    assert found(opened(simple)) == [("HB027", "pref_loss")], "which has no reference"


def test_stage_zero_is_data_parallel(opened):
    assert opened(f"{LLAMA_FACTORY}deepspeed: ds_z0_config.json\n").values["instance"]["parallelism"] == "ddp"


def test_checkpointing_and_kernels(opened):
    text = f"{LLAMA_FACTORY}disable_gradient_checkpointing: true\nflash_attn: fa2\nenable_liger_kernel: true\n"
    given = opened(text).values[TRAINING]
    assert given["gradient_checkpointing"] is False
    assert (given["attn_implementation"], given["loss"], given["liger"]) == ("flash_attention_2", "fused", True)


def test_further_stages_and_files_that_train_nothing_are_refused(opened):
    assert found(opened(LLAMA_FACTORY.replace("stage: sft", "stage: ppo"))) == [("HB027", "stage")]
    merging = "model_name_or_path: Qwen/Qwen2.5-7B\ntemplate: qwen\nexport_dir: merged\n"
    assert ("HB027", "export_dir") in found(opened(merging))


def test_a_file_that_only_predicts_and_one_for_megatron_are_refused(opened):
    predicts = LLAMA_FACTORY.replace("do_train: true", "do_predict: true")
    assert found(opened(predicts))[0] == ("HB027", "do_predict")
    assert ("HB027", "do_predict") not in found(opened(f"{LLAMA_FACTORY}do_predict: true\n"))
    assert found(opened(f"{LLAMA_FACTORY}pipeline_model_parallel_size: 4\n")) == [
        ("HB027", "pipeline_model_parallel_size")
    ]


def test_half_of_the_layers_is_said_to_need_less(opened):
    document = opened(LLAMA_FACTORY.replace("finetuning_type: lora", "finetuning_type: freeze"))
    assert document.translated.may_need("less") == "LLaMA-Factory's finetuning_type"
    assert document.translated.may_need("more") == ""


def test_a_limit_on_each_dataset_stands_against_more_examples(tmp_path):
    file = tmp_path / "job.yaml"
    file.write_text(f"{LLAMA_FACTORY}max_samples: 1000\n")
    for examples, said in ((2000, []), (2001, [("HB029", "max_samples")])):
        document = load(file, overrides=(f"data.train.examples={examples}",), reader=ForeignReader())
        assert found(document) == said
    (finding,) = document.translated.findings
    assert "1,000 for each of 2 datasets" in finding.message
    assert finding.help == "set data.train.examples to 2000 or less"


def test_the_last_of_several_adapters_is_gone_on_from(opened):
    several = f"{LLAMA_FACTORY}adapter_name_or_path: acme/first, acme/second\n"
    document = opened(f"{several}model_revision: v1.0\n")
    model = document.values["model"]
    assert (model["adapter"], model["adapter_revision"], model["revision"]) == ("acme/second", "v1.0", "v1.0")
    assert found(document) == [("HB029", "adapter_name_or_path")]
    anew = opened(f"{several}create_new_adapter: true\n")
    assert "adapter" not in anew.values["model"]
    assert found(anew) == [("HB029", "adapter_name_or_path")]
