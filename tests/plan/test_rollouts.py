"""Rollouts of GRPO, and the lengths of rows that are generated."""

from __future__ import annotations

import pytest

from hbspec.catalog import catalog
from hbspec.plan import build_plan
from hbspec.plan.objective import MODEL, SWITCHED
from hbspec.spec import Spec

OWN = {"script": {"source_dir": ".", "entry_point": "train.py"}}


def rolling(sections=None, **settings):
    """The plan of a job on one GPU that has 1,000 prompts of 100 tokens, the longest of 400."""
    said = {
        "hbspec": 1,
        "name": "rolling",
        "task": "grpo",
        "model": {"id": "Qwen/Qwen2.5-0.5B-Instruct"},
        "data": {"type": "prompt_only", "train": {"examples": 1000}, "tokens": {"mean": 100, "max": 400}},
        "instance": {"gpu": "A100-80", "gpus": 1, "parallelism": "single"},
        "hyperparameters": {
            "method": "lora",
            "learning_rate": 1e-6,
            "num_train_epochs": 1,
            "per_device_batch_size": 2,
            "gradient_accumulation_steps": 4,
            "max_length": 1024,
            **settings,
        },
        **(sections or {}),
    }
    spec = Spec.model_validate(said)
    return build_plan(spec, catalog(), catalog().models[spec.model.id].architecture, None)


@pytest.mark.parametrize(
    ("settings", "old", "within"),
    [
        ({}, False, False),  # 4 micro-batches are generated for each update of 4
        ({"num_iterations": 2}, True, False),
        ({"steps_per_generation": 2}, False, True),
        ({"steps_per_generation": 8}, True, False),
        ({"steps_per_generation": 3}, True, True),
        ({"use_vllm": True}, True, False),
    ],
)
def test_the_model_that_generated_is_scored_where_it_may_have_moved(settings, old, within):
    """TRL 1.16.0, `_generate_and_score_completions`: accumulation % (steps per generation x iterations)."""
    found = rolling(OWN, **settings).training.rollouts
    assert (found.old, found.within_updates) == (old, within)
    assert found.rows(2) == 2 * found.steps


@pytest.mark.parametrize(
    ("method", "beta", "reference"), [("lora", 0.0, ""), ("lora", 0.04, SWITCHED), ("full", 0.04, MODEL)]
)
def test_the_reference_is_none_at_beta_0(method, beta, reference):
    assert rolling(method=method, beta=beta).training.objective.reference == reference


def test_rows_are_prompts_with_completions():
    own, shipped = rolling(OWN, max_length=1024), rolling(max_length=1024)
    assert (own.lengths.longest.low, own.lengths.longest.high) == (432, 912)
    assert own.row_tokens.high == 100 + 512
    assert own.row_tokens.low == 132
    assert not own.lengths.known
    assert shipped.lengths == own.lengths
    # the script has no room for long prompts beside completions; the trainer itself cuts nothing
    assert rolling(max_length=768).lengths.longest.high == 768
    assert rolling(OWN, max_length=768).lengths.longest.high == 912


def test_all_that_a_process_generates_is_padded_to_one_length():
    few, many = rolling(gradient_accumulation_steps=4), rolling(gradient_accumulation_steps=32)
    assert few.row_tokens == many.row_tokens
    assert few.padded_row_tokens.expected < many.padded_row_tokens.expected < 912


def test_real_tokens_are_those_of_completed_rows():
    plan = rolling(max_steps=10)
    assert plan.counts.rows_computed == 10 * 4 * 2
    assert plan.real_tokens.expected == pytest.approx(80 * plan.row_tokens.expected)


def test_without_a_cap_no_prompt_is_cut():
    """The script's room is then without end: rows are as long as the longest prompt with its completion."""
    uncapped = rolling(max_length="none")
    roomy = rolling(max_length=912)
    assert uncapped.training.max_length == 912
    assert uncapped.lengths == roomy.lengths
    assert uncapped.row_tokens == roomy.row_tokens
    assert uncapped.kept.low == 1
    assert not uncapped.lengths.left_out


@pytest.mark.parametrize("completion", [512, 40_000])
def test_without_a_cap_and_lengths_prompts_may_be_long(completion):
    unknown = {"data": {"type": "prompt_only", "train": {"examples": 1000}}}
    plan = rolling(unknown, max_length="none", max_completion_length=completion)
    assert plan.training.max_length >= plan.architecture.max_position_embeddings
    assert plan.lengths.mean.high > completion + 100
