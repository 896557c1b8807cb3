"""LoRA counts against peft itself, on real models on the meta device."""

from __future__ import annotations

from copy import deepcopy
from unittest import mock

import pytest
import torch
from peft import LoraConfig, get_peft_model

from hbspec.catalog import Architecture, catalog
from hbspec.catalog.parameters import TargetError, fused_targets, lora_parameters, target_module_names

ATTENTION = ["q_proj", "v_proj"]
SPLIT = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
FUSED = ["qkv_proj", "query_key_value", "c_attn", "dense", "Wqkv"]
MIXTRAL = {"model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2}


@pytest.fixture
def trained(shared_model_of):
    """Parameters that peft really trains."""

    def count(config, rank, targets, **options):
        # whose numbers nobody reads
        adapter = LoraConfig(task_type="CAUSAL_LM", r=rank, target_modules=targets, init_lora_weights=False, **options)
        with mock.patch.object(torch.nn.Linear, "reset_parameters"):
            model = get_peft_model(deepcopy(shared_model_of(config)), adapter)
        return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)

    return count


@pytest.mark.one_in(8)
@pytest.mark.parametrize(
    ("rank", "targets"), [(16, "all-linear"), (8, ATTENTION), (8, [*SPLIT, "gate", "w1", "w2", "w3", *FUSED])], ids=str
)
def test_every_model_type(variant, rank, targets, trained):
    architecture = Architecture.from_config(variant)
    if architecture.family.fused_attention and targets == ATTENTION:
        targets = list(target_module_names(architecture)[:3])
    if architecture.latent_attention is not None and targets == ATTENTION:
        targets = ["kv_a_proj_with_mqa", "kv_b_proj"]
    if isinstance(targets, list) and not architecture.family.fused_targets:  # then a router is no target
        targets = [name for name in targets if name != architecture.family.router]
    if architecture.family.unadapted and targets == "all-linear":
        with pytest.raises(TargetError, match="peft refuses out_proj in models of type"):
            lora_parameters(architecture, rank, targets)
        with pytest.raises(ValueError, match="'out_proj' is incompatible with Mamba-based models"):
            trained(variant, rank, targets)
        return
    assert lora_parameters(architecture, rank, targets) == trained(variant, rank, targets)


@pytest.mark.one_in(8)
def test_every_single_name(variant, trained):
    architecture = Architecture.from_config(variant)
    for name in target_module_names(architecture):
        try:
            ours = lora_parameters(architecture, 4, [name])
        except TargetError:
            with pytest.raises(ValueError, match="fused"):
                trained(variant, 4, [name])
        else:
            assert ours == trained(variant, 4, [name]), name


@pytest.mark.one_in(7)
def test_dora_adds_magnitudes(variant, trained):
    architecture = Architecture.from_config(variant)
    if fused_targets(architecture, "all-linear"):
        with pytest.raises(TargetError, match="DoRA"):
            lora_parameters(architecture, 8, "all-linear", use_dora=True)
        with pytest.raises(ValueError, match="use_dora"):
            trained(variant, 8, "all-linear", use_dora=True)
    else:
        targets = [*target_module_names(architecture)[:-2]] if architecture.family.unadapted else "all-linear"
        ours = lora_parameters(architecture, 8, targets, use_dora=True)
        assert ours == trained(variant, 8, targets, use_dora=True)


@pytest.mark.parametrize("module", ["embed_tokens", "lm_head"])
@pytest.mark.parametrize("tied", [True, False])
def test_dora_on_the_embedding_and_the_head(module, tied, trained, variants):
    config = variants["qwen2"] | {"tie_word_embeddings": tied}
    ours = lora_parameters(Architecture.from_config(config), 4, [module], use_dora=True)
    assert ours == trained(config, 4, [module], use_dora=True)


@pytest.mark.one_in(13)
@pytest.mark.parametrize(
    "saved",
    [
        ["lm_head"],
        ["embed_tokens"],
        ["embed_tokens", "lm_head"],
        ["norm"],
        ["layernorm"],
        ["o_proj"],
        ["q_proj"],
        ["no"],
    ],
    ids=str,
)
def test_modules_to_save_are_trained_whole(variant, saved, trained):
    architecture = Architecture.from_config(variant)
    targets = list(target_module_names(architecture)[:1]) if architecture.family.fused_attention else ATTENTION
    targets = ["kv_b_proj"] if architecture.latent_attention is not None else targets
    if any(container.endswith(name) for container in architecture.family.containers for name in saved):
        with pytest.raises(TargetError, match="contains other modules"):
            lora_parameters(architecture, 4, targets, modules_to_save=saved)
        return
    ours = lora_parameters(architecture, 4, targets, modules_to_save=saved)
    assert ours == trained(variant, 4, targets, modules_to_save=saved)


@pytest.mark.parametrize(
    ("name", "all_linear", "attention"),
    [
        # peft 0.21.2, get_peft_model at full size, r 16.
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", 134_217_728, 16_777_216),
        ("Qwen/Qwen2.5-0.5B", 8_798_208, 1_081_344),
        ("Qwen/Qwen2.5-7B", 40_370_176, 5_046_272),
        ("meta-llama/Llama-3.1-8B", 41_943_040, 6_815_744),
        ("meta-llama/Llama-3.3-70B-Instruct", 207_093_760, 32_768_000),
        ("mistralai/Mistral-7B-v0.3", 41_943_040, 6_815_744),
        ("google/gemma-2-9b", 54_018_048, 8_945_664),
        ("mistralai/Mixtral-8x7B-v0.1", 359_665_664, 6_815_744),
        ("Qwen/Qwen3-30B-A3B", 996_507_648, 6_684_672),
        ("openai/gpt-oss-20b", 7_962_624, 3_981_312),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", 59_781_120, 12_582_912),
    ],
)
def test_full_size_counts(name, all_linear, attention):
    architecture = catalog().models[name].architecture
    assert lora_parameters(architecture, 16, "all-linear") == all_linear
    assert lora_parameters(architecture, 16, ATTENTION) == attention


@pytest.mark.parametrize("targets", ["all-linear", ["qkv_proj", "o_proj"]], ids=str)
def test_full_width_phi_4(targets, trained):
    config = {
        "model_type": "phi3", "hidden_size": 5120, "intermediate_size": 17920, "num_hidden_layers": 40,
        "num_attention_heads": 40, "num_key_value_heads": 10, "vocab_size": 100352, "pad_token_id": 0,
    }  # fmt: skip
    ours = lora_parameters(catalog().models["microsoft/phi-4"].architecture, 16, targets)
    assert ours == trained(config, 16, targets)


def test_fused_experts_are_named_and_refuse_dropout(variants, trained):
    config = variants["mixtral"]
    architecture = Architecture.from_config(config)
    assert fused_targets(architecture, "all-linear") == ("gate", "experts.gate_up_proj", "experts.down_proj")
    assert fused_targets(architecture, ATTENTION) == ()
    with pytest.raises(ValueError, match="lora_dropout"):
        trained(config, 4, "all-linear", lora_dropout=0.05)
    assert fused_targets(Architecture.from_config(variants["gpt_oss"]), "all-linear") == ()
    assert fused_targets(Architecture.from_config(variants["qwen2"]), "all-linear") == ()


@pytest.mark.parametrize(
    ("name", "targets", "message"),
    [
        ("mixtral", ["w1"], "w1 and w3 are one fused parameter"),
        ("qwen3_moe", ["q_proj", "up_proj"], "gate_proj and up_proj are one fused parameter"),
        ("mixtral", ["gate_up_proj"], "no module of mixtral has any of these names; it has q_proj, k_proj"),
        (
            "phi3",
            ATTENTION,
            "no module of phi3 has any of these names; it has qkv_proj, o_proj, gate_up_proj, down_proj",
        ),
        ("gpt_oss", ["q_proj", "router"], "router is not a linear module"),
        ("llama", ["input_layernorm"], "input_layernorm is not a linear module"),
        ("llama", ["self_attn"], "self_attn contains other modules"),
        ("llama", [], "no module of llama"),
    ],
)
def test_what_peft_refuses_is_refused(name, targets, message, variants, trained):
    with pytest.raises(TargetError, match=message):
        lora_parameters(Architecture.from_config(variants[name]), 4, targets)
    with pytest.raises(ValueError, match=r"fused|not found|not supported|No `target_modules`"):
        trained(variants[name], 4, targets)


@pytest.mark.parametrize(
    ("targets", "options", "message"),
    [
        (r".*\.q_proj", {}, "is a regular expression"),
        (["layers.0.self_attn.q_proj"], {}, "is a path"),
        (ATTENTION, {"modules_to_save": ["mlp"]}, "mlp contains other modules"),
    ],
)
def test_what_is_not_counted_says_so(targets, options, message, variants):
    with pytest.raises(TargetError, match=message):
        lora_parameters(Architecture.from_config(variants["llama"]), 4, targets, **options)


def test_unknown_names_beside_known_ones_are_ignored_as_peft_does(variants, trained):
    architecture = Architecture.from_config(variants["llama"])
    ours = lora_parameters(architecture, 4, ["q_proj", "q_porj"])
    assert ours == lora_parameters(architecture, 4, ["q_proj"]) == trained(variants["llama"], 4, ["q_proj", "q_porj"])
