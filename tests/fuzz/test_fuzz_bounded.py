"""Odd configs of types that no family describes: a diagnostic or an interval each time, never a traceback."""

from __future__ import annotations

import copy
import json
import random
import traceback
from typing import Any

import pytest
from fuzz_files import ODD
from fuzz_judge import judge
from fuzz_mutations import Case
from fuzz_trees import at, places

CONFIGS: tuple[dict[str, Any], ...] = (
    {
        "model_type": "lfm3",
        "hidden_size": 2048,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "intermediate_size": 8192,
        "vocab_size": 65536,
        "conv_L_cache": 3,
        "layer_types": ["conv", "full_attention"] * 8,
        "tie_word_embeddings": True,
    },
    {
        "model_type": "nemotron_h",
        "hidden_size": 4096,
        "hybrid_override_pattern": "M-M*ME",
        "num_attention_heads": 32,
        "head_dim": 128,
        "ssm_state_size": 128,
        "mamba_num_heads": 128,
        "mamba_head_dim": 64,
        "intermediate_size": 21504,
        "moe_intermediate_size": 1856,
        "n_routed_experts": 8,
        "num_experts_per_tok": 2,
        "mlp_hidden_act": "relu2",
        "vocab_size": 131072,
    },
    {"model_type": "own", "n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50257, "n_positions": 1024},
    {
        "model_type": "own_vl",
        "text_config": {
            "model_type": "own_text",
            "hidden_size": 1024,
            "num_layers": 8,
            "num_attention_heads": 8,
            "vocab_size": 1000,
            "num_experts": 64,
            "moe_intermediate_size": 512,
            "first_k_dense_replace": 1,
            "kv_lora_rank": 512,
            "qk_nope_head_dim": 128,
            "qk_rope_head_dim": 64,
            "v_head_dim": 128,
        },
        "vision_config": {"hidden_size": 768, "depth": 12, "num_heads": 12, "intermediate_size": 3072},
    },
)
METHODS = ("full", "lora", "qlora")
WAYS = ("single", "pipeline", "ddp", "fsdp", "zero3")
CASES = 60
STEP = 6


def _config(draw: random.Random) -> Any:
    spoilt: Any = copy.deepcopy(draw.choice(CONFIGS))
    for _ in range(draw.choice((0, 1, 1, 2, 4))):
        place = draw.choice([one for one in places(spoilt) if one])
        parent = at(spoilt, place[:-1])
        if draw.random() < 0.3 and isinstance(parent, dict):
            del parent[place[-1]]
            if not spoilt:
                break
        else:
            parent[place[-1]] = copy.deepcopy(draw.choice(ODD))
    return spoilt


def _spec(draw: random.Random) -> dict[str, Any]:
    hyperparameters: dict[str, Any] = {
        "method": draw.choice(METHODS),
        "learning_rate": 1e-4,
        "per_device_batch_size": draw.choice((1, 4)),
        "gradient_checkpointing": draw.choice((True, False)),
        "max_length": draw.choice((64, 2048)),
    }
    if draw.random() < 0.3:
        hyperparameters["target_modules"] = ["in_proj", "experts.0.w1"]
    if draw.random() < 0.2:
        hyperparameters["modules_to_save"] = [draw.choice(("lm_head", "backbone.mixer"))]
    if draw.random() < 0.2:
        hyperparameters["optim"] = "paged_adamw_8bit"
    return {
        "hbspec": 1,
        "name": "bounded",
        "model": {"id": "own/model", "config": "./config.json"},
        "data": {"train": {"uri": "s3://bucket/train/", "examples": 1000}},
        "hyperparameters": hyperparameters,
        "instance": {"type": "ml.g5.12xlarge", "region": "us-east-1", "parallelism": draw.choice(WAYS)},
        "sagemaker": {"role": "arn:aws:iam::123456789012:role/job", "output": "s3://bucket/out/"},
        "deployment": {"instance": {"type": "ml.g5.2xlarge"}, "tensor_parallel": 1},
    }


@pytest.mark.parametrize(
    "first", [0, *(pytest.param(first, marks=pytest.mark.long) for first in range(STEP, CASES, STEP))]
)
def test_no_config_breaks_the_program(first: int, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    for number in range(first, first + STEP):
        draw = random.Random(number)
        text, spec = json.dumps(_config(draw)), _spec(draw)
        (tmp_path / "config.json").write_text(text)
        try:
            problems = judge(Case("bounded", number, spec, {}), lambda: None, thorough=True, searched=False)
        except Exception:
            problems = [traceback.format_exc()]
        assert not problems, f"{number}: {problems[0]}\n{text}\n{spec}"
