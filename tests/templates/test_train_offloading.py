"""Activations that leave the GPU: TRL's own offloading, told that the CPU is the accelerator, beside our run."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from transformers import LlamaConfig, LlamaForCausalLM  # noqa: E402
from trl.models.activation_offloading import get_act_offloading_ctx_manager  # noqa: E402

from hbspec.catalog import Architecture  # noqa: E402
from hbspec.estimators.step.flops import INFERENCE  # noqa: E402
from hbspec.estimators.step.lifetimes.kinds import kinds, program_profile  # noqa: E402

SIZES = {
    "hidden_size": 64,
    "intermediate_size": 176,
    "num_hidden_layers": 5,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 96,
    "max_position_embeddings": 512,
}
TOKENS = 128


def test_checkpointed_layers_move_their_inputs_and_nothing_else(monkeypatch):
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda *_: SimpleNamespace(type="cpu"))
    # TRL asks the accelerator for it once bitsandbytes is imported, by whichever test
    monkeypatch.setattr(torch.cpu, "empty_cache", lambda: None, raising=False)
    model = LlamaForCausalLM(LlamaConfig(**SIZES, use_cache=False)).to(torch.bfloat16).train()
    model.gradient_checkpointing_enable({"use_reentrant": False})
    offloading = get_act_offloading_ctx_manager(model, use_streams=False, use_pin_memory=False)
    ids = torch.arange(TOKENS).reshape(1, TOKENS) % SIZES["vocab_size"]
    layers = []
    model.model.layers[-1].register_forward_hook(lambda *_: layers.append(dict(offloading.tracker)))
    with offloading:
        model(input_ids=ids, labels=ids).loss.backward()
    saved = [(entry[0].numel() * entry[0].element_size(), entry[1]) for entry in layers[0].values()]
    inputs = 2 * TOKENS * SIZES["hidden_size"]
    # and the ids, which the embedding saves, of 8 bytes a token
    assert Counter(saved) == {(inputs, True): SIZES["num_hidden_layers"], (8 * TOKENS, True): 1}

    architecture = Architecture.from_config({"model_type": "llama", **SIZES})
    program = INFERENCE._replace(targets=(), checkpointing=True, offloads=True)
    profile, numbers = program_profile(architecture, program), kinds(architecture, program).numbers(0, 5)
    moved = Counter()
    for index, number in numbers.items():
        moved.update({size.at(TOKENS, TOKENS): number for size in profile.moved[index]})
    assert moved == {inputs: SIZES["num_hidden_layers"]}
