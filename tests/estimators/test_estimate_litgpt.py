"""LitGPT's own layers and loss, against its code and what it published."""

from __future__ import annotations

from typing import Any

import pytest
from estimators.planned import planned

from hbspec.catalog import Architecture
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.step.flops import INFERENCE
from hbspec.estimators.step.job import job_of
from hbspec.estimators.step.lifetimes.kinds import program_profile
from hbspec.estimators.training.memory import memory
from hbspec.plan import Plan

SOFTWARE = {"trainer": "litgpt", "bitsandbytes": "0.41.1"}


def shape(hidden: int, intermediate: int, layers: int, heads: int, groups: int, kind: str = "llama") -> Architecture:
    return Architecture.from_config(
        {
            "model_type": kind,
            "hidden_size": hidden,
            "intermediate_size": intermediate,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "num_key_value_heads": groups,
            "vocab_size": 32000,
            "max_position_embeddings": 4096,
            "tie_word_embeddings": False,
        }
    )


LLAMA_2_7B, LLAMA_2_13B = shape(4096, 11008, 32, 32, 32), shape(5120, 13824, 40, 40, 40)


@pytest.mark.parametrize(
    ("groups", "targets", "dropout", "counted"),
    [
        # what torch's `saved_tensors_hooks` saw in the second `Block` of litgpt 0.5.12's `lora.GPT`, a token, in
        # bfloat16 with r 8, without what all tokens share; of dropout CUDA's mask of one byte
        (4, ("q_proj", "v_proj"), False, 5496),
        (4, ("q_proj", "v_proj"), True, 5624),
        (2, ("q_proj", "v_proj"), False, 4856),
        (4, ("q_proj", "k_proj", "v_proj"), False, 5000),
    ],
)
def test_a_layer_keeps_what_litgpt_saves(groups, targets, dropout, counted):
    program = INFERENCE._replace(litgpt=True, targets=targets, rank=8, dropout=dropout)
    kept = program_profile(shape(128, 352, 4, 4, groups), program).kept[1]
    assert sum(size.per_token for size in kept.values()) == counted


def plan_of(model: Architecture, *, rows: int = 1, parallelism: str = "single", **changes: Any) -> Plan:
    return planned(
        "mine",
        architecture=model,
        method={"method": "lora", "lora_r": 8, "lora_dropout": 0.05, "target_modules": ["q_proj", "v_proj"]},
        instance={"parallelism": parallelism, "type": "ml.p4d.24xlarge"},
        tokens=(1304, 1304),
        sections={"software": SOFTWARE},
        per_device_batch_size=rows,
        gradient_accumulation_steps=128,
        optim="adamw_torch",
        **changes,
    )


@pytest.mark.parametrize(
    ("model", "rows", "gigabytes"),
    # litgpt, tutorials/resource-tables.md: LoRA on one GPU, bf16-true, Alpaca, whose longest row is 1304 tokens
    [(LLAMA_2_7B, 1, 21.30), (LLAMA_2_7B, 2, 29.07), (LLAMA_2_13B, 1, 38.12)],
)
def test_published_peaks(model, rows, gigabytes):
    peak = memory(plan_of(model, rows=rows)).fullest.peak_allocated
    assert peak.expected / 1e9 == pytest.approx(gigabytes, rel=0.01)


def test_all_logits_are_held_in_fp32_and_their_logarithms_but_no_gradient_of_their_size():
    job = job_of(plan_of(LLAMA_2_7B))
    model = job.architecture

    def at_peak(architecture: Architecture) -> int:
        run = program_profile(architecture, job.program)
        return max(peak.total.per_token for peak in (*run.loss, *run.loss_backward))

    wider = model._replace(vocab_size=2 * model.vocab_size)
    assert at_peak(wider) - at_peak(model) == 8 * model.vocab_size


def test_layers_are_computed_again_under_fsdp_only():
    assert not plan_of(LLAMA_2_7B).training.gradient_checkpointing
    assert plan_of(LLAMA_2_7B, parallelism="fsdp").training.gradient_checkpointing


@pytest.mark.parametrize(
    ("model", "changes", "said"),
    [
        (LLAMA_2_7B, {"parallelism": "fsdp"}, "LitGPT's adapters under FSDP"),
        (LLAMA_2_7B, {"use_dora": True}, "an option that LitGPT does not have"),
        (LLAMA_2_7B, {"loss": "fused"}, "an option that LitGPT does not have"),
        (shape(128, 352, 4, 4, 4, "gemma2"), {}, "LitGPT's own layers of this family"),
    ],
)
def test_what_is_not_counted_is_refused(model, changes, said):
    with pytest.raises(NotKnownError, match=said):
        job_of(plan_of(model, **changes))
