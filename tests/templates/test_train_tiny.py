from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import shrinking
import tiny
from conversations import Conversation, encode
from handover import parse
from settings import Invocation
from training_bench import QWEN_32B, SEED, sums

LLAMA3_ROPE = {
    "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
    "rope_type": "llama3",
}  # fmt: skip
LONGROPE = {"long_factor": [1.0] * 48, "short_factor": [1.0] * 48, "type": "longrope"}


def config(model_type: str, sizes: tuple[int, int, int, int, int], **more: Any) -> dict[str, Any]:
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads")
    return {"model_type": model_type, "max_position_embeddings": 131072, **dict(zip(names, sizes, strict=True)), **more}


CONFIGS = {
    "qwen2": QWEN_32B | {"max_window_layers": 64, "layer_types": ["full_attention"] * 64},
    "qwen3": config("qwen3", (4096, 12288, 36, 32, 8), head_dim=128),
    "qwen3_moe": config(
        "qwen3_moe", (2048, 6144, 48, 32, 4), head_dim=128,
        num_experts=128, num_experts_per_tok=8, moe_intermediate_size=768,
    ),
    "llama": config("llama", (4096, 14336, 32, 32, 8), rope_scaling=LLAMA3_ROPE, eos_token_id=[128001, 128008]),
    "llama4": {
        "model_type": "llama4",
        "text_config": config(
            "llama4_text", (5120, 8192, 48, 40, 8), head_dim=128, intermediate_size_mlp=16384, num_local_experts=16,
            num_experts_per_tok=1, moe_layers=list(range(48)), no_rope_layers=[1, 1, 1, 0] * 12,
        ),
        "vision_config": {"model_type": "llama4_vision_model"},
    },
    "mistral": config("mistral", (4096, 14336, 32, 32, 8)),
    "mixtral": config("mixtral", (4096, 14336, 32, 32, 8), num_local_experts=8, num_experts_per_tok=2),
    "gemma2": config("gemma2", (3584, 14336, 42, 16, 8), head_dim=256, query_pre_attn_scalar=256),
    "gemma3": {"model_type": "gemma3", "text_config": config("gemma3_text", (3840, 15360, 48, 16, 8), head_dim=256)},
    "phi3": config("phi3", (3072, 8192, 32, 32, 32), rope_scaling=LONGROPE, original_max_position_embeddings=4096),
    "gpt_oss": config(
        "gpt_oss", (2880, 2880, 24, 64, 8), head_dim=64, num_local_experts=32, num_experts_per_tok=4,
        layer_types=["sliding_attention", "full_attention"] * 12, quantization_config={"quant_method": "mxfp4"},
    ),
}  # fmt: skip
EXAMPLES = [Conversation(str(number), tuple(messages)) for number, messages in enumerate(sums(30))]


def invocation(folder: Path, content: dict[str, Any], model_id: str = "some/model", *more: str) -> Invocation:
    (folder / "config.json").write_text(json.dumps(content))
    return parse(["--MODEL_ID", model_id, "--tiny", "--model-config", str(folder / "config.json"), *more], {})


@pytest.mark.parametrize("name", CONFIGS)
def test_the_tiny_model_is_of_the_same_architecture_and_computes(name: str, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    content = CONFIGS[name]
    tiny.write(invocation(tmp_path, content), EXAMPLES, tmp_path / "tiny")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "tiny")
    text = content.get("text_config", content)
    made = model.config
    assert made.model_type == text["model_type"]
    queries_a_key = made.num_attention_heads / made.num_key_value_heads
    assert queries_a_key == text["num_attention_heads"] / text["num_key_value_heads"]
    assert sum(parameter.numel() for parameter in model.parameters()) < 5_000_000
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "tiny")
    assert len(tokenizer) <= made.vocab_size
    assert made.eos_token_id == tokenizer.eos_token_id
    [row, *_], _ = encode(tokenizer, EXAMPLES, 512)
    ids = torch.tensor([row["input_ids"]])
    assert torch.isfinite(model(input_ids=ids, labels=ids).loss)


def test_the_same_seed_and_data_give_the_same_files(tmp_path: Path) -> None:
    one, two, other = tmp_path / "one", tmp_path / "two", tmp_path / "other"
    tiny.write(invocation(tmp_path, QWEN_32B), EXAMPLES, one)
    tiny.write(invocation(tmp_path, QWEN_32B), EXAMPLES, two)
    tiny.write(invocation(tmp_path, QWEN_32B, "some/model", "--SEED", "7"), EXAMPLES, other)
    names = sorted(path.name for path in one.iterdir())
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(names)
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes()
    assert (one / "model.safetensors").read_bytes() != (other / "model.safetensors").read_bytes()


def test_the_template_is_of_the_models_family() -> None:
    assert tiny.family("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", "qwen2") is tiny.FAMILIES["r1"]
    assert tiny.family("meta-llama/Llama-3.1-8B-Instruct", "llama") is tiny.FAMILIES["llama"]
    assert tiny.family("Qwen/Qwen2.5-7B-Instruct", "qwen2") is tiny.FAMILIES["chatml"]


def overridden(*more: str, launched: bool = False, tmp_path: Path) -> tuple[Any, dict[str, tuple[str, str]]]:
    (tmp_path / "config.json").write_text(json.dumps(QWEN_32B))
    seed = [f"--{name}={value}" for name, value in SEED.items()]
    asked = parse([*seed, *more, "--model-config", str(tmp_path / "config.json")], {"RANK": "0", "WORLD_SIZE": "1"})
    settings, made = tiny.rehearsal(asked, launched=launched)
    return settings, {each.name: (each.before, each.after) for each in made}


def test_a_rehearsal_logs_every_update_and_says_so_where_the_job_does_not(tmp_path: Path) -> None:
    settings, made = overridden("--tiny", "--LOGGING_STEPS", "10", tmp_path=tmp_path)
    assert settings.LOGGING_STEPS == 1
    assert made["LOGGING_STEPS"] == ("10", "1")
    assert "LOGGING_STEPS" not in overridden("--tiny", tmp_path=tmp_path)[1]
    assert overridden("--LOGGING_STEPS", "10", tmp_path=tmp_path)[0].LOGGING_STEPS == 10


def test_without_a_rehearsal_nothing_is_overridden(tmp_path: Path) -> None:
    settings, made = overridden(tmp_path=tmp_path)
    assert made == {}
    assert settings.MAX_STEPS == 300
    assert settings.BF16 is None


def test_a_rehearsal_of_the_seed_overrides_this_and_nothing_else(tmp_path: Path) -> None:
    settings, made = overridden("--tiny", "--PARALLELISM=pipeline", "--max-updates=4", tmp_path=tmp_path)
    assert set(made) == {"WEIGHTS", "TOKENIZER", "DEVICE", "COMPUTE", "PARALLELISM", "MAX_STEPS"}
    assert made["PARALLELISM"] == ("pipeline", "single")
    assert made["MAX_STEPS"] == ("300", "4")
    assert made["COMPUTE"] == ("bfloat16", "float32")
    assert (settings.PARALLELISM, settings.MAX_STEPS, settings.BF16, settings.FP16) == ("single", 4, False, False)
    assert (settings.LORA_R, settings.LEARNING_RATE, settings.GRADIENT_ACCUMULATION_STEPS) == (16, 1e-4, 32)


def test_sharding_becomes_ddp_and_ddp_without_a_launcher_one_process(tmp_path: Path) -> None:
    storage = "--BNB_4BIT_QUANT_STORAGE=bfloat16"
    settings, made = overridden("--tiny", "--PARALLELISM=fsdp", storage, launched=True, tmp_path=tmp_path)
    assert settings.PARALLELISM == "ddp"
    assert made["PARALLELISM"] == ("fsdp", "ddp")
    settings, made = overridden("--tiny", "--PARALLELISM=ddp", launched=False, tmp_path=tmp_path)
    assert settings.PARALLELISM == "single"
    assert made["PARALLELISM"] == ("ddp", "single")


def test_each_override_prints_as_one_line_with_its_reason() -> None:
    shown = str(tiny.Override("MAX_STEPS", "300", "4", "--max-updates"))
    assert shown == "hbspec: override MAX_STEPS: 300 -> 4 (--max-updates)"
    assert all(reason for _, _, _, reason in tiny.OVERRIDES)


def test_a_rehearsal_without_an_architecture_is_refused() -> None:
    with pytest.raises(ValueError, match="--model-config"):
        parse(["--MODEL_ID", "some/model", "--tiny"], {})


GEMMA_4 = {
    "model_type": "gemma4_text", "hidden_size": 2816, "intermediate_size": 2112, "num_hidden_layers": 6,
    "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 256, "global_head_dim": 512,
    "num_global_key_value_heads": 2, "num_experts": 128, "top_k_experts": 8, "moe_intermediate_size": 704,
    "layer_types": ["sliding_attention"] * 5 + ["full_attention"],
}  # fmt: skip
DEEPSEEK_V3 = {
    "model_type": "deepseek_v3", "hidden_size": 7168, "intermediate_size": 18432, "num_hidden_layers": 61,
    "num_attention_heads": 128, "num_key_value_heads": 128, "kv_lora_rank": 512, "q_lora_rank": 1536, "n_group": 8,
    "topk_group": 4, "n_routed_experts": 256, "num_experts_per_tok": 8, "first_k_dense_replace": 3,
}  # fmt: skip


def test_heads_of_both_kinds_are_shrunk() -> None:
    made = shrinking.shrink(GEMMA_4, 512)
    assert made["global_head_dim"] == 2 * made["head_dim"] < 256
    assert made["num_global_key_value_heads"] == made["num_key_value_heads"] == 2
    assert made["layer_types"] == ["sliding_attention", "full_attention"]
    assert made["top_k_experts"] < made["num_experts"]


def test_latents_are_shrunk_and_a_sparse_layer_is_left() -> None:
    made = shrinking.shrink(DEEPSEEK_V3, 512)
    assert made["kv_lora_rank"] == made["q_lora_rank"] == shrinking.BLOCK
    assert (made["n_group"], made["topk_group"]) == (1, 1)
    assert made["first_k_dense_replace"] < made["num_hidden_layers"]


def test_a_type_that_transformers_does_not_build_is_refused() -> None:
    with pytest.raises(shrinking.RefusedError, match="models of type kimi_k2 are not made tiny"):
        shrinking.shrink({**DEEPSEEK_V3, "model_type": "kimi_k2"}, 512)
