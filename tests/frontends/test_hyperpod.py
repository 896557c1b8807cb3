"""HyperPod's recipes: what each kind says, the rows that GPUs share, and what is named as not read."""

from __future__ import annotations

import pytest
from frontends_cases import found, weights
from hyperpod_cases import LLMFT, NEMO, RECIPES, VERL

from hbspec.api import check
from hbspec.frontends.reading.front import ForeignReader, recognised
from hbspec.source import SourceError, load
from hbspec.source.parse import parse
from hbspec.source.problems import Problems
from hbspec.spec import Spec, read

TRAINING = "hyperparameters"
SPLITS = "ulysses_sequence_parallel_size"
ON = ("data.train.examples=10000", "instance.region=us-east-1")


def without(text, key):
    """The recipe without a line."""
    return "".join(line for line in text.splitlines(keepends=True) if line.strip().partition(":")[0] != key)


def said(document, *names, section=TRAINING):
    return tuple(document.values[section].get(name) for name in names)


@pytest.mark.parametrize("kind", RECIPES)
def test_a_recipe_is_recognised_by_its_keys(kind):
    front = recognised(parse(RECIPES[kind], "recipe.yaml", Problems()))
    assert front.program == "HyperPod"


def test_aws_s_own_program(opened):
    document = opened(LLMFT, on=None)
    names = ("method", "lora_r", "lora_alpha", "max_length", "num_train_epochs", "use_reentrant", "max_grad_norm")
    assert said(document, *names) == ("lora", 16, 32, 4096, 5, False, 0.5)
    assert said(document, "adam_beta1", "adam_beta2", "warmup_ratio") == (0.9, 0.95, 0.1)
    assert document.values["data"]["validation"] == {"share": 0.1}
    instance = document.values["instance"]
    assert (instance["type"], instance["alternatives"], instance["count"]) == (
        "ml.p4de.24xlarge",
        ["ml.p5.48xlarge"],
        2,
    )
    assert (instance["parallelism"], instance["sharding"], instance["fsdp_version"]) == ("fsdp", "hybrid", 1)
    assert found(document) == [("HB029", "model_type")], "whose dtypes are not public"


def test_verl_s_trainer(opened):
    document = opened(VERL, on=None)
    names = ("method", "lora_r", "lora_alpha", "max_length", "liger", "loss", "optim", "save_strategy")
    assert said(document, *names) == ("lora", 32, 64, 4096, True, "in_place", "adamw_torch", "epoch")
    assert said(document, "weights_dtype", section="software") == ("bfloat16",)
    instance = document.values["instance"]
    assert (instance["type"], instance["parallelism"], instance["fsdp_version"]) == ("ml.p5.48xlarge", "fsdp", 2)
    assert found(document) == [("HB029", "max_token_len_per_gpu")], "a note: only time"


def test_the_adapter_of_nemo(opened):
    document = opened(NEMO, on="ml.p5.48xlarge")
    names = ("method", "lora_r", "lora_dropout", "max_length", "max_steps", "attn_implementation", "save_strategy")
    assert said(document, *names) == ("lora", 32, 0.1, 8192, 50, "flash_attention_2", "no")
    assert (said(document, "bf16"), said(document, "weights_dtype", section="software")) == ((True,), ("bfloat16",))
    assert said(document, "count", "sharding", section="instance") == (2, "full"), "16 GPUs share the weights"
    assert found(document) == []
    grouped = opened(NEMO.replace("shard_degree: 16", "shard_degree: 8"))
    assert said(grouped, "sharding", section="instance") == ("hybrid",)
    assert found(opened(NEMO.replace("shard_degree: 16", "shard_degree: 4"))) == [("HB029", "shard_degree")]


@pytest.mark.parametrize(("written", "stored"), [("bf16", "bfloat16"), ("fp32", "float32")])
def test_weights_of_verl_stay_as_they_are_loaded(opened, written, stored):
    full = VERL.replace("lora_rank: 32", "lora_rank: 0")
    assert weights(opened(full.replace("model_dtype: bf16", f"model_dtype: {written}"), on=None)) == stored


@pytest.mark.parametrize(
    ("text", "more", "rows", "times"),
    [
        (LLMFT, (), 2, 2),  # 64 rows of 16 GPUs
        (LLMFT, ("instance.count=1",), 2, 4),
        (LLMFT, ("instance.type=ml.g5.2xlarge", "instance.count=1"), 2, 32),
        (LLMFT, ("hyperparameters.per_device_batch_size=1",), 1, 4),
        (VERL, (), 4, 2),  # 16,384 tokens are 4 rows of 4,096
        (VERL.replace("train_batch_size: 64", "train_batch_size: 16"), (), 2, 1),
        (VERL.replace("use_dynamic_bsz: true", "use_dynamic_bsz: false"), (), 8, 1),
    ],
)
def test_the_gpus_share_the_rows_of_an_update(tmp_path, text, more, rows, times):
    file = tmp_path / "recipe.yaml"
    file.write_text(text)
    document = load(file, overrides=more, reader=ForeignReader())
    assert said(document, "per_device_batch_size", "gradient_accumulation_steps") == (rows, times)


def test_rows_that_the_gpus_cannot_share_are_named_at_the_key(opened):
    text = LLMFT.replace("train_batch_size: 64", "train_batch_size: 8")
    document = opened(text)
    (finding,) = [one for one in document.translated.findings if one.route[-1] == "train_batch_size"]
    assert "an update is taken to have 32" in finding.message
    assert text.splitlines()[document.span(finding.route).start.line - 1].strip() == "train_batch_size: 8"


def test_the_launcher_s_type_is_the_first(opened):
    instance = opened(f"instance_type: p5.48xlarge\n{LLMFT}", on=None).values["instance"]
    assert (instance["type"], instance["alternatives"]) == ("ml.p5.48xlarge", ["ml.p4de.24xlarge"])


def test_asked_for_other_hardware_the_recipe_s_types_do_not_count(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text(LLMFT)
    typed = load(file, overrides=("instance.type=ml.g6e.12xlarge",), reader=ForeignReader()).values["instance"]
    assert (typed["type"], "alternatives" in typed, typed["count"]) == ("ml.g6e.12xlarge", False, 2)
    owned = load(file, overrides=("instance.gpu=L4", "instance.gpus=2"), reader=ForeignReader()).values["instance"]
    assert {"type", "alternatives"}.isdisjoint(owned)


@pytest.mark.parametrize(
    ("kind", "line", "other", "key"),
    [
        ("llmft", "    max_len: 4096", "    max_len: 4096\n    ring_attn_size: 2", "ring_attn_size"),
        ("llmft", "        forward_prefetch: false", "        forward_prefetch: true", "forward_prefetch"),
        ("llmft", "      peft_type: lora", "      peft_type: ia3", "peft_type"),
        ("verl", f"    {SPLITS}: 1", f"    {SPLITS}: 2", SPLITS),
        ("verl", "    fsdp_size: -1", "    fsdp_size: 4", "fsdp_size"),
        ("verl", "    strategy: fsdp2", "    strategy: fsdp", "forward_prefetch"),
        ("verl", "    use_liger: true", "    use_fused_kernels: true", "use_fused_kernels"),
        ("verl", "    max_length: 4096", "    max_length: 5000", "max_token_len_per_gpu"),
        ("nemo", "  context_parallel_degree: 1", "  context_parallel_degree: 2", "context_parallel_degree"),
        ("nemo", "use_smp_model: False", "use_smp_model: True", "use_smp_model"),
    ],
)  # fmt: skip
def test_what_influences_memory_and_is_not_estimated_is_named(opened, kind, line, other, key):
    assert RECIPES[kind].count(f"{line}\n") == 1
    document = opened(RECIPES[kind].replace(f"{line}\n", f"{other}\n"))
    assert ("HB029", key) in found(document)
    assert any(document.translated.may_need(change) for change in ("more", "less", "either"))


def test_a_tensor_parallel_degree_is_the_spec_s(opened):
    document = opened(NEMO.replace("tensor_model_parallel_degree: 1", "tensor_model_parallel_degree: 2"))
    assert said(document, "tensor_parallel", section="instance") == (2,)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (LLMFT.replace("llm_finetuning_aws", "amazon.nova-lite-v1:0:300k"), "model_type"),
        (NEMO.replace("model_type: hf", "model_type: hyperpod_checkpointless_nemo"), "model_type"),
        (NEMO.replace("model_type: hf", "model_type: neuron-hf"), "model_type"),
        (f"{VERL}  actor_rollout_ref:\n    rollout:\n      n: 8\n", "actor_rollout_ref"),
        (VERL.replace("FSDPEngineConfig", "McoreEngineConfig"), "_target_"),
        (f"defaults:\n- /hydra_config/verl-0_7_0/engine/megatron\n- _self_\n{VERL}", "defaults"),
        ("run:\n  model_type: mtrl\ndisplay_name: An agent\n", "model_type"),
        ("run:\n  name: judged\ndisplay_name: A judge\n", "run"),
    ],
)
def test_a_training_that_is_not_estimated_is_refused_at_its_key_and_no_more_is_said(tmp_path, text, key):
    file = tmp_path / "recipe.yaml"
    file.write_text(text)
    (only,) = check(str(file), overrides=ON).diagnostics
    assert only.code == "HB027"
    assert text.splitlines()[only.span.start.line - 1].strip().startswith(f"{key}:")


def test_preferences_are_a_task(opened):
    pairs = LLMFT.replace("trainer_type: sft", "trainer_type: dpo\n    beta: 0.01\n    loss_type: sigmoid")
    document = opened(without(without(pairs, "max_epochs"), "train_batch_size"))
    assert (document.values["task"], said(document, "beta", "num_train_epochs")) == ("dpo", (0.01, 3.0))
    assert opened(VERL.replace("  data:\n", "  data:\n    chosen_key: chosen\n")).values["task"] == "dpo"
    assert opened(NEMO.replace("do_finetune: True", "do_finetune: False")).values["task"] == "pretrain"
    with_pairs = NEMO.replace("  do_finetune: True\n", "  dpo:\n    enabled: True\n    beta: 0.2\n")
    assert said(opened(with_pairs), "beta") == (0.2,)


def test_defaults_are_those_of_the_recipes_with_their_source(opened):
    text = LLMFT
    for key in ("max_len", "learning_rate", "micro_train_batch_size", "lr_warmup_ratio", "r"):
        text = without(text, key)
    document = opened(text)
    assert said(document, "max_length", "learning_rate", "per_device_batch_size", "lora_r") == (4096, 1e-4, 1, 16)
    assert "hydra_config/llmft" in document.translated.defaults[TRAINING, "max_length"]
    assert "hydra_config/llmft" in document.translated.defaults[TRAINING, "per_device_batch_size"]


def test_files_that_a_recipe_takes_values_of_are_named_and_not_read(opened):
    included = "defaults:\n- /hydra_config/llmft/default\n- /hydra_config/llmft/peft/lora\n- _self_\n"
    text = included + "".join(
        line for line in LLMFT.splitlines(keepends=True) if "peft" not in line and line[:6] != " " * 6
    )
    document = opened(text)
    assert ("HB029", "defaults") in found(document)
    assert said(document, "method") == ("lora",), "as the name of the file says"
    bare = included.replace("llmft", "verl") + without(without(VERL, "lora_rank"), "lora_alpha")
    assert said(opened(bare), "method") == ("lora",)


def test_a_placeholder_is_named(opened):
    document = opened(LLMFT.replace("max_len: 4096", "max_len: ${oc.env:LENGTH}"))
    assert ("HB036", "max_len") in found(document)
    for text in (LLMFT, VERL):
        document = opened(text.replace("train_batch_size: 64", "train_batch_size: ${rows}"))
        assert ("HB036", "train_batch_size") in found(document)
    assert ("HB036", "num_nodes") in found(opened(NEMO.replace("num_nodes: 2", "num_nodes: ${nodes}")))


def test_a_misspelt_key_is_found_where_it_stands(opened):
    document = opened(LLMFT.replace("micro_train_batch_size", "micro_train_batch_sise"))
    (finding,) = [one for one in document.translated.findings if one.code == "HB028"]
    assert finding.help == "did you mean `micro_train_batch_size`?"
    assert document.translated.may_need("either")


def test_a_model_that_the_launcher_fills_in_is_missing_at_its_key(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text(NEMO.replace("meta-llama/Llama-3.1-8B", "null"))
    (error,) = [one for one in check(str(file), overrides=ON).diagnostics if one.severity == "error"]
    assert NEMO.splitlines()[error.span.start.line - 1].strip().startswith("hf_model_name_or_path")


def test_a_number_as_a_key_is_a_fault_elsewhere(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text(LLMFT.replace("  name: qwen-2d5-7b\n", "  1: qwen\n"))
    with pytest.raises(SourceError, match="HB003"):
        load(file, reader=ForeignReader())


@pytest.mark.parametrize("kind", RECIPES)
def test_any_value_of_any_key_is_read_or_found(opened, kind):
    lines = RECIPES[kind].splitlines()
    for number, line in enumerate(lines):
        key, colon, after = line.partition(":")
        if not colon or not after.strip():
            continue
        for value in (("null", "{a: {b: c}}"), ("[]", "-3"))[number % 2]:
            text = "\n".join([*lines[:number], f"{key}: {value}", *lines[number + 1 :], ""])
            try:
                document = opened(text, program="hyperpod")
            except SourceError as refused:
                if "HB027" not in str(refused):
                    raise
                continue
            assert isinstance(read(document), Spec | list), line
