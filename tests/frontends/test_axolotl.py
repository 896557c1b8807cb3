"""axolotl's files: every key where the author wrote it, and axolotl's own defaults."""

from __future__ import annotations

import pytest
from frontends_cases import AXOLOTL, found, weights

from hbspec.opened import analysed

TRAINING = "hyperparameters"


def test_what_the_author_wrote_is_read_at_its_place(opened):
    document = opened(AXOLOTL)
    given = document.values[TRAINING]
    assert given["method"] == "qlora"
    assert (given["max_length"], given["packing"], given["per_device_batch_size"]) == (4096, True, 2)
    assert (given["lora_r"], given["lora_alpha"], given["target_modules"]) == (32, 16, "all-linear")
    lines = AXOLOTL.splitlines()
    for route, key in (((TRAINING, "max_length"), "sequence_len"), ((TRAINING, "optim"), "optimizer")):
        assert lines[document.span(route).start.line - 1].startswith(f"{key}:")
    assert found(document) == []


def test_defaults_are_axolotl_s_with_their_source(opened):
    document = opened(AXOLOTL)
    defaults = document.translated.defaults
    assert weights(document) == "bfloat16"
    assert document.values[TRAINING]["bnb_double_quant"] is True
    assert document.values[TRAINING]["use_reentrant"] is True
    assert (TRAINING, "max_length") not in defaults
    assert document.values["instance"]["parallelism"] == "ddp"


def test_epochs_become_shares_of_the_updates(opened):
    given = opened(AXOLOTL).values[TRAINING]
    assert (given["eval_steps"], given["save_steps"]) == (1 / 16, 1 / 4)
    once = opened(AXOLOTL.replace("num_epochs: 4", "num_epochs: 1")).values[TRAINING]
    assert "save_steps" not in once, "a share of 1 is not set, which axolotl takes for every step"


@pytest.mark.parametrize(
    ("line", "route", "value"),
    [
        ("fsdp_version: 2\nfsdp_config: {offload_params: true}", ("instance", "offload"), "all"),
        ("fsdp_version: 2\nfsdp_config: {reshard_after_forward: true}", ("instance", "fsdp_version"), 2),
        ("fsdp_config: {reshard_after_forward: true}", ("instance", "fsdp_version"), 1),
        ("deepspeed: deepspeed_configs/zero3_bf16_cpuoffload_all.json", ("instance", "offload"), "all"),
        ("deepspeed: deepspeed_configs/zero2.json", ("instance", "parallelism"), "zero2"),
        ("plugins: [axolotl.integrations.cut_cross_entropy.CutCrossEntropyPlugin]", (TRAINING, "loss"), "fused"),
        ("activation_offloading: true", (TRAINING, "activation_offloading"), True),
        ("warmup_steps: 10", (TRAINING, "warmup_steps"), 10),
        ("tensor_parallel_size: 2", ("instance", "tensor_parallel"), 2),
        ("lora_modules_to_save: [embed_tokens, lm_head]", (TRAINING, "modules_to_save"), ["embed_tokens", "lm_head"]),
    ],
)
def test_a_line_is_read(opened, line, route, value):
    values = opened(f"{AXOLOTL}{line}\n").values
    assert values[route[0]][route[1]] == value


@pytest.mark.parametrize(
    ("more", "whole"),
    [("", True), ("fsdp_cpu_ram_efficient_loading: false", True), ("cpu_ram_efficient_loading: true", None)],
)
def test_weights_of_16_bits_are_moved_to_every_gpu_before_fsdp_shards_them(opened, more, whole):
    text = AXOLOTL.replace("load_in_4bit: true", "").replace("adapter: qlora", "adapter: lora")
    document = opened(f"{text}fsdp_version: 2\nfsdp_config: {{reshard_after_forward: true, {more}}}\n")
    assert document.values["instance"].get("loads_whole") is whole
    assert found(document) == []
    quantised = opened(f"{AXOLOTL}fsdp_version: 2\nfsdp_config: {{reshard_after_forward: true, {more}}}\n")
    assert "loads_whole" not in quantised.values["instance"], "which the versions of the libraries decide"


@pytest.mark.parametrize("key", ["flash_attn_rms_norm: true", "max_packed_sequence_len: 2048", "s2_attention: true"])
def test_a_key_at_which_axolotl_stops_is_said(opened, key):
    (finding,) = opened(f"{AXOLOTL}{key}\n").translated.findings
    assert (finding.code, finding.route[-1], finding.help) == ("HB028", key.partition(":")[0], "delete it")
    assert found(opened(f"{AXOLOTL}{key.partition(':')[0]}:\n")) == []


def test_liger_is_not_applied_to_types_that_have_no_kernels(opened):
    norms = "liger_rms_norm: true\nliger_glu_activation: true\nliger_layer_norm: true\nliger_rms_norm_gated: true\n"
    text = f"{AXOLOTL}plugins: [axolotl.integrations.liger.LigerPlugin]\n{norms}"
    assert opened(text).values[TRAINING]["liger"] is True
    none = opened(text.replace("NousResearch/Llama-2-7b-hf", "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16"))
    assert "liger" not in none.values[TRAINING]
    assert found(none) == []
    gated = opened(text.replace("NousResearch/Llama-2-7b-hf", "Qwen/Qwen3.5-27B"))
    assert found(gated) == [("HB029", "liger_rms_norm_gated")]


def test_the_loss_that_balances_experts_is_read_where_a_model_has_it(opened):
    text = f"{AXOLOTL}model_config: {{output_router_logits: true}}\n"
    sparse = opened(text.replace("NousResearch/Llama-2-7b-hf", "mistralai/Mixtral-8x7B-v0.1"))
    assert sparse.values[TRAINING]["output_router_logits"] is True
    assert found(sparse) == found(opened(text)) == []
    assert "output_router_logits" not in opened(text).values[TRAINING]
    more = text.replace("true}", "true, num_hidden_layers: 4}")
    assert found(opened(more)) == [("HB029", "model_config")]


@pytest.mark.parametrize(
    ("patterns", "adapted", "full"),
    [
        ("[^model.language_model.*, ^lm_head.*]", ["HB027"], []),
        ("[model.language_model.*, lm_head, embed_tokens]", ["HB027"], []),
        ("['^model.embed_tokens.weight$[0:32000]', 'model.layers.4[4-9]+.mlp']", ["HB027"], ["HB029"]),
        ("[.*lora_A.*]", ["HB027"], ["HB029"]),
        ("['model.layers.2[']", ["HB027"], ["HB029"]),
    ],
)
def test_weights_that_patterns_unfreeze(opened, patterns, adapted, full):
    text = f"{AXOLOTL}unfrozen_parameters: {patterns}\n"
    whole = text.replace("adapter: qlora\n", "").replace("load_in_4bit: true\n", "")
    assert [code for code, _ in found(opened(text))] == adapted
    assert [code for code, _ in found(opened(whole))] == full


def test_a_training_by_noise_is_refused(opened):
    assert found(opened(f"{AXOLOTL}diffusion: {{eps: 0.001}}\n")) == [("HB027", "diffusion")]


def test_full_tuning_is_what_no_adapter_means(opened):
    text = "base_model: Qwen/Qwen2.5-7B\nlearning_rate: 1e-5\nmicro_batch_size: 1\n"
    document = opened(text)
    assert document.values[TRAINING]["method"] == "full"
    assert document.values[TRAINING]["max_length"] == 512
    assert "axolotl" in document.translated.defaults[TRAINING, "max_length"]


def test_int8_and_lora_of_16_bits(opened):
    eight = AXOLOTL.replace("load_in_4bit", "load_in_8bit").replace("adapter: qlora", "adapter: lora")
    assert opened(eight).values[TRAINING]["bnb_quant_type"] == "int8"
    plain = eight.replace("load_in_8bit: true", "load_in_8bit: false")
    assert opened(plain).values[TRAINING]["method"] == "lora"


def test_experts_that_are_not_modules_get_no_adapters(opened):
    document = opened(AXOLOTL.replace("NousResearch/Llama-2-7b-hf", "Qwen/Qwen3-30B-A3B"))
    targets = document.values[TRAINING]["target_modules"]
    assert "q_proj" in targets
    assert not {"gate_up_proj", "experts"} & set(targets)


@pytest.mark.parametrize(("bits", "stored"), [("load_in_4bit", 0.55), ("load_in_8bit", 1.05)])
def test_fused_experts_that_are_quantised_while_they_are_loaded(opened, bits, stored):
    text = AXOLOTL.replace("NousResearch/Llama-2-7b-hf", "Qwen/Qwen3-30B-A3B").replace("load_in_4bit", bits)
    text = text.replace("adapter: qlora", "adapter: lora") + "quantize_moe_experts: true\n"
    text += "plugins: [axolotl.integrations.cut_cross_entropy.CutCrossEntropyPlugin]\n"
    document = opened(text)
    assert document.values[TRAINING]["quantize_experts"] is True
    assert found(document) == []
    fullest = analysed(document, None, None).memory.fullest
    quantised = fullest.terms["quantized_weights"] + fullest.terms["quantization_scales"]
    assert quantised == pytest.approx(stored * 29.9e9, rel=0.07)
    assert fullest.terms["dequantized_weights"] >= 3 * 128 * 2048 * 768 * (2 if bits == "load_in_4bit" else 4)


def test_a_pattern_becomes_the_names_that_it_finds(opened):
    pattern = r"lora_target_modules: 'model.layers.[\d]+.(mlp|self_attn).(up|down|q|v)_proj'"
    document = opened(AXOLOTL.replace("lora_target_linear: true", pattern))
    assert sorted(document.values[TRAINING]["target_modules"]) == ["down_proj", "q_proj", "up_proj", "v_proj"]


def test_rows_padded_to_the_cap_are_as_long_as_it(opened):
    text = AXOLOTL.replace("sample_packing: true", "sample_packing: false") + "pad_to_sequence_len: true\n"
    assert opened(text).values["data"]["tokens"] == {"mean": 4096, "max": 4096}


def test_a_yes_of_yaml_1_1_and_digits_in_groups(opened):
    text = AXOLOTL.replace("sample_packing: true", "sample_packing: yes").replace("4096", "8_192")
    given = opened(text).values[TRAINING]
    assert (given["packing"], given["max_length"]) == (True, 8192)


@pytest.mark.parametrize(
    ("line", "task", "data"),
    [
        ("rl: dpo\nrl_beta: 0.2", "dpo", "preference"),
        ("rl: ipo", "dpo", "preference"),
        ("rl: kto", "kto", "unpaired_preference"),
        ("reward_model: true", "reward", "preference"),
        ("pretraining_dataset: [{path: allenai/c4}]", "pretrain", "language_modeling"),
    ],
)
def test_trainings_that_are_tasks(opened, line, task, data):
    document = opened(f"{AXOLOTL}{line}\n")
    assert (document.values["task"], document.values["data"]["type"]) == (task, data)
    assert found(document) == []
    given = document.values[TRAINING]
    assert (given.get("beta"), given.get("loss_type")) == (
        0.2 if "beta" in line else None,
        "ipo" if "ipo" in line else None,
    )
    assert given["use_reentrant"] is not ("rl:" in line), "axolotl recomputes whole layers, unless rl is set"


def test_what_fsdp_trains_is_float32_under_mixed_precision(opened):
    full = AXOLOTL.replace("adapter: qlora\n", "").replace("load_in_4bit: true\n", "")
    sharded = f"{full}fsdp_version: 1\nfsdp_config: {{cpu_ram_efficient_loading: true}}\n"
    assert weights(opened(full)) == "bfloat16"
    assert weights(opened(sharded)) == "float32"
    second = opened(sharded.replace("fsdp_version: 1", "fsdp_version: 2"))
    assert weights(second) == "bfloat16", "which axolotl wraps by its own code"
    assert weights(opened(full), "fsdp") == "float32", "as a search would place it"
    assert weights(opened(sharded), "ddp") == "bfloat16"


def test_weights_that_stay_on_the_host_are_not_whole_on_a_gpu(opened):
    full = AXOLOTL.replace("adapter: qlora\n", "").replace("load_in_4bit: true\n", "")
    apart = f"{full}fsdp_config: {{reshard_after_forward: true}}\nexperimental_skip_move_to_device: true\n"
    assert found(opened(apart)) == []
    assert "loads_whole" not in opened(apart).values["instance"]


def test_added_tokens_make_the_vocabulary_longer(opened):
    document = opened(
        f'{AXOLOTL}tokens: ["<|im_start|>", "<|im_end|>"]\nlora_modules_to_save: [embed_tokens, lm_head]\n'
    )
    assert document.values["model"]["added_tokens"] == 2
    assert found(opened(f'{AXOLOTL}tokens: ["<|im_start|>"]\n')) == [("HB029", "tokens")]
    assert found(opened(f"{AXOLOTL}resize_token_embeddings_to_32x: true\n")) == [], "32000 is 1000 x 32"


def test_quantised_weights_that_are_unpacked_are_16_bit_weights(opened):
    text = f"{AXOLOTL}model_quantization_config: Mxfp4Config\n"
    assert found(opened(text)) == [("HB029", "model_quantization_config")]
    assert found(opened(f"{text}model_quantization_config_kwargs: {{dequantize: true}}\n")) == []


def test_a_pattern_of_a_model_that_is_not_known_stays_a_pattern(opened):
    text = AXOLOTL.replace("NousResearch/Llama-2-7b-hf", "nobody/knows-7b")
    pattern = r"model.layers.[\d]+.self_attn.(q|v)_proj"
    document = opened(text.replace("lora_target_linear: true", f"lora_target_modules: '{pattern}'"))
    assert document.values[TRAINING]["target_modules"] == pattern


def test_a_plugin_that_is_not_known_is_said(opened):
    known = "axolotl.integrations.liger.LigerPlugin"
    assert found(opened(f"{AXOLOTL}plugins: [{known}]\n")) == []
    assert found(opened(f"{AXOLOTL}plugins: [{known}, mine.Plugin]\n")) == [("HB029", "plugins")]


def test_a_training_that_is_not_estimated_is_never_to_be_deleted(opened):
    (finding,) = opened(f"{AXOLOTL}rl: orpo\n").translated.findings
    assert finding.code == "HB027"
    assert "delete" not in finding.help


def test_initial_adapters_are_named_and_what_they_are_like_is_not_known(opened):
    document = opened(f"{AXOLOTL}lora_model_dir: acme/first\n")
    assert document.values["model"]["adapter"] == "acme/first"
    assert found(document) == [("HB029", "lora_model_dir")]
