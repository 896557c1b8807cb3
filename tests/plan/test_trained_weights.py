"""Parameters that are trained: some of the weights, and the embedding of tokens that were added."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from transformers import AutoConfig, AutoModelForCausalLM

from hbspec.api import estimate
from hbspec.catalog import Architecture
from hbspec.catalog.roles import TargetError
from hbspec.catalog.target_patterns import TargetAbsentError, unfrozen

BASE = Path(__file__).parent.parent / "rules" / "base.yaml"
SIZES = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 64,
}  # fmt: skip


@pytest.fixture(scope="module", params=["llama", "qwen2", "qwen3"])
def model(request):
    return AutoModelForCausalLM.from_config(AutoConfig.for_model(request.param, **SIZES))


@pytest.mark.parametrize(
    "patterns",
    [
        (r"^lm_head.weight$",),
        (r"^model.embed_tokens.weight$", r"model\.norm"),
        (r"model.layers.[23].",),
        (r"model.layers.\d+.mlp.down_proj", r".*layernorm"),
        (r".*q_norm|.*self_attn.q_proj.bias|.*v_proj",),
        (r".*",),
    ],
)
def test_parameters_are_those_whose_paths_begin_so(patterns, model):
    expected = sum(
        parameter.numel()
        for name, parameter in model.named_parameters()
        if any(re.match(pattern, name) for pattern in patterns)
    )
    assert unfrozen(Architecture.from_config(model.config.to_dict()), patterns) == expected


def test_patterns_of_nothing_are_refused(model):
    with pytest.raises(TargetAbsentError):
        unfrozen(Architecture.from_config(model.config.to_dict()), ["transformer.h"])


def test_other_paths_are_not_counted():
    config = AutoConfig.for_model("gpt_neox", hidden_size=32, num_hidden_layers=2, num_attention_heads=4, vocab_size=64)
    with pytest.raises(TargetError):
        unfrozen(Architecture.from_config(config.to_dict()), [".*dense.*"])


def estimates_of(fragment: str, folder: Path):
    """The estimates of a fragment over the base."""
    (folder / "base.yaml").write_text(BASE.read_text())
    (folder / "spec.yaml").write_text(f"extends: ./base.yaml\n{fragment}\n")
    return estimate(folder / "spec.yaml")


def test_added_tokens_train_the_embedding_and_the_head(tmp_path):
    usual = estimates_of("model: {id: Qwen/Qwen2.5-7B}\ndeployment: null", tmp_path)
    added = estimates_of("model: {id: Qwen/Qwen2.5-7B, added_tokens: 8}\ndeployment: null", tmp_path)
    architecture = usual.plan.architecture
    rows = architecture.vocab_size + 8
    assert added.plan.architecture.vocab_size == rows
    more = added.plan.trainable_parameters - usual.plan.trainable_parameters
    assert more == 2 * rows * architecture.hidden_size
    assert any(one.route[-1] == "modules_to_save" for one in added.plan.assumptions)
    assert added.analysis.memory.fullest.process.low > usual.analysis.memory.fullest.process.low


ALL_WEIGHTS = (
    "method: full, lora_r: null, lora_alpha: null, lora_dropout: null, bnb_quant_type: null, bnb_double_quant: null"
)


def test_what_is_frozen_has_no_states_and_is_saved(tmp_path):
    full = "model: {id: Qwen/Qwen2.5-0.5B}\ndeployment: null\nsoftware: {trainer: axolotl}\n"
    full += f"hyperparameters: {{{ALL_WEIGHTS}"
    every, some = (
        estimates_of(f"{full}{more}}}", tmp_path).plan for more in ("", ", unfrozen_parameters: ['model.layers.2']")
    )
    assert some.adapter_bytes == every.adapter_bytes == 2 * every.trainable_parameters
    assert some.checkpoint_bytes == some.adapter_bytes + 2 * 2 * some.trainable_parameters
    assert 0 < some.trainable_parameters < every.trainable_parameters


def test_gradients_are_freed_by_updates_in_the_backward_pass(tmp_path):
    full = "model: {id: Qwen/Qwen2.5-7B}\ndeployment: null\nsoftware: {trainer: torchtune}\n"
    full += "instance: {parallelism: single, type: ml.p5.48xlarge}\n"
    full += f"hyperparameters: {{{ALL_WEIGHTS}, gradient_checkpointing: true, optim: paged_adamw_8bit, "
    kept, freed, summed = (
        estimates_of(f"{full}{more}}}", tmp_path)
        for more in (
            "gradient_accumulation_steps: 1",
            "gradient_accumulation_steps: 1, optimizer_in_bwd: true",
            "gradient_accumulation_steps: 2, optimizer_in_bwd: true",
        )
    )
    saved = kept.analysis.memory.fullest.process.low - freed.analysis.memory.fullest.process.low
    weights = 2 * kept.plan.trainable_parameters
    assert 0.9 * weights < saved <= 1.1 * weights
    assert summed.analysis.memory.fullest.process.expected >= kept.analysis.memory.fullest.process.expected
