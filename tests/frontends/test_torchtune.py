"""torchtune's recipes: builders are models, what their components say, and what is named as not read."""

from __future__ import annotations

import pytest
from frontends_cases import AXOLOTL, found
from torchtune_cases import FULL, LORA

from hbspec.api import check, estimate
from hbspec.catalog import catalog
from hbspec.frontends.known.torchtune import fields, model_of_builder
from hbspec.frontends.reading.front import ForeignReader, recognised
from hbspec.frontends.reading.pinned import pinned
from hbspec.opened import analysed
from hbspec.source import SourceError, load
from hbspec.source.parse import parse
from hbspec.source.problems import Problems
from hbspec.spec import Spec, read

TRAINING = "hyperparameters"
ON = ("data.train.examples=10000", "instance.region=us-east-1", "instance.type=ml.p4de.24xlarge")
NOT_A_POLICY = ("llama2_reward_7b", "mistral_reward_7b")
"""Builders of models that give a reward."""


def said(document, *names, section=TRAINING):
    return tuple(document.values[section].get(name) for name in names)


def test_a_file_is_recognised_by_its_components():
    assert recognised(parse(LORA, "8B_lora.yaml", Problems())).program == "torchtune"


def test_adapters(opened):
    document = opened(LORA)
    assert document.values["model"] == {"id": "meta-llama/Llama-3.1-8B"}
    names = ("method", "lora_r", "lora_alpha", "max_length", "packing", "per_device_batch_size", "optim")
    assert said(document, *names) == ("lora", 32, 64, 2048, True, 4, "adamw_torch_fused")
    targets = ["q_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    assert said(document, "target_modules", "merge_weights") == (targets, False)
    names = ("learning_rate", "lr_scheduler_type", "warmup_steps", "max_grad_norm", "loss")
    assert said(document, *names) == (3e-4, "cosine", 100, 1.0, "chunked")
    assert said(document, "eval_steps", "per_device_eval_batch_size") == (50, 4), "which is `${batch_size}`"
    assert said(document, "weights_dtype", "adapter_dtype", "autocast", section="software")[1:] == ("bfloat16", False)
    assert found(document) == []


def test_all_weights(opened):
    document = opened(FULL)
    names = ("method", "optim", "optimizer_in_bwd", "merge_weights")
    assert said(document, *names) == ("full", "paged_adamw_8bit", True, None)
    assert found(document) == []


def test_several_gpus_share_the_weights_and_one_has_them_alone(opened, tmp_path):
    document = opened(LORA)
    assert said(document, "parallelism", section="instance") == ("fsdp",)
    plan = analysed(document, None, None).plan
    assert (plan.fsdp.version, plan.fsdp.defers) == (2, False)
    assert said(opened(LORA, on="ml.g6.xlarge"), "parallelism", section="instance") == ("single",)
    file = tmp_path / "8B_lora_single_device.yaml"
    file.write_text(LORA)
    alone = load(file, overrides=ON, reader=ForeignReader())
    assert said(alone, "parallelism", section="instance") == ("single",), "as its name says"


@pytest.mark.parametrize(
    ("builder", "model", "method"),
    [
        ("qwen2_5.lora_qwen2_5_7b_instruct", "Qwen/Qwen2.5-7B-Instruct", "lora"),
        ("llama3_3.qlora_llama3_3_70b", "meta-llama/Llama-3.3-70B-Instruct", "qlora"),
        ("mistral.mistral_7b", "mistralai/Mistral-7B-v0.1", "full"),
    ],
)
def test_a_builder_says_the_model_and_the_method(opened, builder, model, method):
    document = opened(LORA.replace("llama3_1.lora_llama3_1_8b", builder))
    assert (document.values["model"]["id"], said(document, "method")) == (model, (method,))


def test_quantised_weights_are_a_method_too(opened):
    document = opened(LORA.replace("  lora_rank: 32", "  quantize_base: True\n  lora_rank: 32"))
    assert said(document, "method", "bnb_quant_type", "bnb_double_quant") == ("qlora", "nf4", True)


def test_every_builder_has_the_sizes_of_the_catalog_s_model():
    builders, models = pinned("torchtune")["builders"], catalog().models
    assert builders.keys() - model_of_builder().keys() == {*NOT_A_POLICY}
    for builder, model in model_of_builder().items():
        a = models[model].architecture
        sizes = {
            "vocab_size": a.vocab_size,
            "num_layers": a.num_hidden_layers,
            "num_heads": a.num_attention_heads,
            "num_kv_heads": a.num_key_value_heads,
            "embed_dim": a.hidden_size,
            "intermediate_dim": a.intermediate_size,
        }
        assert {key: sizes[key] for key in builders[builder]} == builders[builder], builder


def test_a_builder_that_is_not_known_is_named_and_not_guessed(opened):
    document = opened(LORA.replace("torchtune.models.llama3_1.lora_llama3_1_8b", "mine.models.lora_big_9b"))
    assert found(document) == [("HB029", "_component_")]
    assert document.values["model"]["id"] == "big_9b"
    assert said(document, "method", "lora_r") == ("lora", 32)


def test_modules_that_transformers_has_as_one_are_named(opened):
    document = opened(LORA.replace("llama3_1.lora_llama3_1_8b", "phi4.lora_phi4_14b"))
    assert said(document, "target_modules") == (["qkv_proj", "o_proj", "gate_up_proj", "down_proj"],)
    assert found(document) == [("HB029", "lora_attn_modules")]


@pytest.mark.parametrize(
    ("line", "other", "key"),
    [
        ("compile: False", "compile: True", "compile"),
        ("compile: False", "compile: {model: True, loss: False}", "compile"),
        ("device: cuda", "device: xpu", "device"),
        ("dtype: bf16", "dtype: bf16\ncontext_parallel_dim: 2", "context_parallel_dim"),
        ("dtype: bf16", "dtype: bf16\ncustom_sharded_layers: ['tok_embeddings', 'output']", "custom_sharded_layers"),
        ("dtype: bf16", "dtype: bf16\ndata_parallel_replicate_dim: 2", "data_parallel_replicate_dim"),
        ("dtype: bf16", "dtype: bf16\nenable_fp8_training: True", "enable_fp8_training"),
        ("dtype: bf16", "dtype: bf16\nresize_token_embeddings: True", "resize_token_embeddings"),
        ("torch.optim.AdamW", "torchao.prototype.low_bit_optim.CPUOffloadOptimizer", "_component_"),
        ("  fused: True", "  fused: True\n  amsgrad: True", "amsgrad"),
        ("torchtune.modules.loss.LinearCrossEntropyLoss", "mine.losses.Focal", "_component_"),
        ("enable_activation_checkpointing: True", "ac_mode: selective\nac_option: 2", "ac_mode"),
    ],
)
def test_what_influences_memory_and_is_not_estimated_is_named(opened, line, other, key):
    assert LORA.count(line) == 1
    document = opened(LORA.replace(line, other))
    assert found(document) == [("HB029", key)]
    assert any(document.translated.may_need(change) for change in ("more", "less", "either"))


def test_simulated_quantisation_is_named(opened):
    quantizer = "quantizer: {_component_: torchtune.training.quantization.Int8DynActInt4WeightQATQuantizer}\n"
    document = opened(f"{LORA}{quantizer}")
    assert found(document) == [("HB029", "_component_")]
    assert document.translated.may_need("more")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f"{LORA}kd_ratio: 0.5\nkd_loss: {{_component_: torchtune.modules.loss.ForwardKLLoss}}\n", "kd_loss"),
        (f"{LORA}ppo_epochs: 2\n", "ppo_epochs"),
        (f"{LORA}grpo_samples: 4\n", "grpo_samples"),
        (LORA.replace("llama3_1.lora_llama3_1_8b", "llama3_2_vision.lora_llama3_2_vision_11b"), "_component_"),
        (LORA.replace("torchtune.modules.loss.LinearCrossEntropyLoss", "torchtune.rlhf.loss.PPOLoss"), "_component_"),
        ("model: {_component_: torchtune.models.llama2.llama2_7b}\nprompt: {user: Hello}\n", "model"),
    ],
)
def test_a_training_that_is_not_estimated_is_refused_at_its_key_and_no_more_is_said(tmp_path, text, key):
    file = tmp_path / "job.yaml"
    file.write_text(text)
    (only,) = check(str(file), overrides=ON).diagnostics
    assert only.code == "HB027"
    assert key in text.splitlines()[only.span.start.line - 1]


def test_preferences_are_a_task_that_is_not_estimated(tmp_path):
    file = tmp_path / "job.yaml"
    file.write_text(LORA.replace("modules.loss.LinearCrossEntropyLoss", "rlhf.loss.DPOLoss\n  beta: 0.1"))
    assert "HB270" in {entry.code for entry in check(str(file), overrides=ON).diagnostics}


def test_rows_that_nothing_cuts_make_no_error_of_a_job_that_is_too_large(tmp_path):
    file = tmp_path / "job.yaml"
    file.write_text(LORA.replace("max_seq_len: 2048", "max_seq_len: null").replace("packed: True", "packed: False"))
    codes = {entry.code: entry.severity for entry in check(str(file), overrides=ON).diagnostics}
    assert (codes["HB029"], codes["HB109"]) == ("warning", "warning")
    known = check(str(file), overrides=(*ON, "data.tokens.mean=300", "data.tokens.max=1000"))
    assert not {"HB029", "HB109"} & {entry.code for entry in known.diagnostics}


def test_interpolations_of_the_same_file_are_filled_in_and_others_are_named(opened):
    document = opened(LORA.replace("gradient_accumulation_steps: 8", "gradient_accumulation_steps: ${epochs}"))
    assert (found(document), said(document, "gradient_accumulation_steps")) == ([], (2,))
    for value in ("${oc.env:ROWS}", "${nobody}", "${gradient_accumulation_steps}"):
        document = opened(LORA.replace("gradient_accumulation_steps: 8", f"gradient_accumulation_steps: {value}"))
        assert found(document) == [("HB036", "gradient_accumulation_steps")]
        assert said(document, "gradient_accumulation_steps") == (1,), "its default stands in"


def test_keys_that_no_recipe_reads_are_found(opened):
    document = opened(LORA.replace("enable_activation_checkpointing", "enable_activation_checkpoint"))
    (finding,) = document.translated.findings
    assert (finding.code, finding.help) == ("HB028", "did you mean `enable_activation_checkpointing`?")
    assert found(opened(LORA.replace("lora_rank", "lora_ranks"))) == [("HB028", "lora_ranks")]
    mixed = opened(f"{LORA}micro_batch_size: 2\nsequence_len: 512\n")
    assert found(mixed) == [("HB037", "micro_batch_size")]
    assert found(opened(f"{AXOLOTL}enable_activation_checkpointing: true\nbatch_size_val: 1\n")) == [
        ("HB037", "enable_activation_checkpointing")
    ]


def test_the_loss_holds_the_logarithms_of_all_tokens(tmp_path):
    file = tmp_path / "8B_lora_single_device.yaml"
    file.write_text(LORA.replace("dataset_val", "dataset_unused").replace("run_val_every_n_steps: 50\n", ""))
    tokens, vocabulary = 4 * 2048, 128256

    def logits(*more):
        return dict(estimate(str(file), overrides=(*ON, *more)).memory.fullest.terms)["logits"]

    own, whole = logits(), logits("hyperparameters.loss=standard")
    assert tokens * vocabulary * 4 < own < 1.5 * tokens * vocabulary * 4 < whole


def test_spans_are_the_author_s(opened):
    span = opened(LORA).span((TRAINING, "learning_rate"))
    assert LORA.splitlines()[span.start.line - 1].strip() == "lr: 3e-4"


@pytest.mark.parametrize("text", [LORA, FULL])
def test_any_part_of_a_file_is_read_or_refused_with_a_place(tmp_path, text):
    file = tmp_path / "job.yaml"
    for end in range(0, len(text), 97):
        file.write_text(text[:end])
        assert all(entry.file for entry in check(str(file), overrides=ON).diagnostics)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("value", ["null", "[]", "{a: {b: c}}", "-3", "''", "${a.b}"])
def test_any_value_of_any_key_is_read_or_found(opened, value):
    lines = LORA.splitlines()
    for number, line in enumerate(lines):
        key, colon, after = line.partition(":")
        if not colon or not after.strip():
            continue
        try:
            document = opened("\n".join([*lines[:number], f"{key}: {value}", *lines[number + 1 :], ""]))
        except SourceError as refused:
            if "HB027" not in str(refused):
                raise
            continue
        assert isinstance(read(document), Spec | list), line


def test_every_section_that_is_known_has_the_component_s_name():
    sections = {key.partition(".")[0] for key in fields().known if "." in key}
    assert all(f"{name}._component_" in fields().known for name in sections)
