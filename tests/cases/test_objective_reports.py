"""Public reports of preference and reinforcement tuning: each can be written, and its cause is named at its key.

What a report leaves out is taken from the defaults of the framework's version that it names.
"""

from __future__ import annotations

import pytest

from hbspec.api import check, estimate

SCRIPT = "script: {source_dir: ., entry_point: train.py}\n"
ONE_A100 = "instance: {gpu: A100-80, gpus: 1, parallelism: single}\n"
PAIRS = "data: {type: preference, train: {examples: 5000}, tokens: {mean: 512, max: 1024}}\n"

QUICK_START = (
    "model: {id: Qwen/Qwen2.5-0.5B-Instruct}\n"
    f"task: dpo\n{PAIRS}{ONE_A100}{SCRIPT}"
    "software: {trl: 0.16.0, transformers: 4.50.0, accelerate: 1.5.0, weights_dtype: float32, autocast: false}\n"
    "hyperparameters: {method: full, learning_rate: 1e-6, num_train_epochs: 3, per_device_batch_size: 8,"
    " max_length: 1024, gradient_checkpointing: false, bf16: false, fp16: false}\n"
)
"""https://github.com/huggingface/trl/issues/3168: the quick start, which loads float32 and recomputes nothing."""

TWO_COPIES = (
    "model: {id: meta-llama/Llama-2-13b-hf}\n"
    f"task: dpo\n{PAIRS}{SCRIPT}"
    "instance: {type: ml.g4dn.12xlarge, region: us-east-1, parallelism: zero2}\n"
    "software: {trl: 0.7.7, transformers: 4.36.2, peft: 0.7.1}\n"
    "hyperparameters: {learning_rate: 3e-5, num_train_epochs: 1, per_device_batch_size: 1, max_length: 1024,"
    " fp16: true, bf16: false, ref_model: true}\n"
)
"""https://github.com/huggingface/trl/issues/1169: a 13B model in 4 bits on T4s, twice."""

FULL_7B = (
    "model: {id: Qwen/Qwen2.5-7B}\n"
    f"task: dpo\n{PAIRS}{ONE_A100}{SCRIPT}"
    "software: {trl: 0.8.6, transformers: 4.40.0}\n"
    "hyperparameters: {method: full, learning_rate: 1e-5, num_train_epochs: 3, per_device_batch_size: 1,"
    " max_length: 1024}\n"
)
"""https://github.com/hiyouga/LlamaFactory/issues/3716: how much memory a full fine-tune of a 7B model takes."""

BATCH_OF_TWO = (
    "model: {id: Qwen/Qwen3-4B}\n"
    f"{ONE_A100}{SCRIPT}"
    "software: {trainer: trl, trl: 0.24.0, transformers: 4.57.1, peft: 0.17.1, accelerate: 1.11.0}\n"
    "hyperparameters: {method: lora, lora_r: 8, learning_rate: 1e-5, num_train_epochs: 1, max_length: 4096,"
    " per_device_batch_size: "
)
"""https://github.com/hiyouga/LlamaFactory/issues/10175: LoRA of a 4B model, with TRL 0.24's logits of pairs."""

WITH_VLLM = (
    "model: {id: Qwen/Qwen2.5-7B-Instruct}\n"
    "task: grpo\ndata: {type: prompt_only, train: {examples: 7500}}\n"
    "instance: {gpu: A100-80, gpus: 7, parallelism: zero3}\n"
    "script: {source_dir: ., entry_point: train.py}\n"
    "hyperparameters: {method: full, learning_rate: 3e-6, num_train_epochs: 1, per_device_batch_size: 1,"
    " gradient_accumulation_steps: 8, max_length: 1536, num_generations: 3, max_completion_length: 1024,"
    " use_vllm: true, vllm_gpu_memory_utilization: 0.7}\n"
)
"""https://github.com/huggingface/open-r1/issues/475, without `max_prompt_length`, which TRL 1.16 no longer has."""


def written(text, folder):
    (folder / "train.py").write_text("trainer.train(resume_from_checkpoint=True)\n")
    (folder / "spec.yaml").write_text(f"hbspec: 1\nname: report\n{text}")
    return folder / "spec.yaml"


def largest(text, folder):
    """The largest part of a GPU's memory, and the memory."""
    found = estimate(written(text, folder)).memory
    assert found is not None
    terms = dict(found.fullest.terms)
    return max(terms, key=terms.__getitem__), found


@pytest.mark.parametrize(
    ("text", "term"), [(QUICK_START, "logits"), (TWO_COPIES, "reference weights"), (FULL_7B, "optimizer states")]
)
def test_what_ran_out_does_not_fit_and_the_largest_part_is_named(text, term, tmp_path):
    (found,) = [one for one in check(written(text, tmp_path)).diagnostics if one.code == "HB109"]
    assert found.severity == "error"
    assert f"the largest parts are {term}" in found.message


def test_a_full_fine_tune_holds_its_reference_beside_it(tmp_path):
    _, found = largest(FULL_7B, tmp_path)
    _, without = largest(FULL_7B.replace("max_length", "precompute_ref_log_probs: true, max_length"), tmp_path)
    assert found.fullest.terms["reference_weights"] == pytest.approx(2 * 7.6e9, rel=0.01)
    saved = found.fullest.peak_allocated.expected - without.fullest.peak_allocated.expected
    assert saved == pytest.approx(found.fullest.terms["reference_weights"], rel=0.01)


def test_a_pair_is_two_rows_and_a_reference_s_logits_come_on_top(tmp_path):
    """The report: a batch of 4 is trained with supervision; of 2 pairs, which are 4 rows as well, it is not."""
    data = "data: {{type: {}, train: {{examples: 10000}}, tokens: {{mean: 2048, max: 4096}}}}\n"
    pairs = f"task: dpo\n{data.format('preference')}{BATCH_OF_TWO}2}}\n"
    _, supervised = largest(f"{data.format('language_modeling')}{BATCH_OF_TWO}4, loss: standard}}\n", tmp_path)
    term, preferred = largest(pairs, tmp_path)
    assert term == "logits"
    assert supervised.verdict == "fits"
    assert preferred.fullest.peak_allocated.expected > 1.2 * supervised.fullest.peak_allocated.expected
    assert preferred.verdict != "fits"


def test_generation_beside_training_is_not_said_to_fit(tmp_path):
    found = {one.code: one for one in check(written(WITH_VLLM, tmp_path)).diagnostics}
    assert found["HB274"].route == ("hyperparameters", "num_generations")
    term, beside = largest(WITH_VLLM.replace("num_generations: 3", "num_generations: 4"), tmp_path)
    assert term == "vllm_engine"
    assert beside.fullest.terms[term] == pytest.approx(0.7 * beside.fullest.usable)
    assert beside.verdict != "fits"
    without = largest(WITH_VLLM.replace("num_generations: 3", "num_generations: 4, vllm_mode: server"), tmp_path)[1]
    assert without.verdict == "fits"
