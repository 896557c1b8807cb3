"""Environments of serving containers: what vLLM, AWS's entry point and LMI take, refuse and drop."""

from __future__ import annotations

import pytest

from hbspec.catalog.engines import lora_ranks, own_image, refusals, refused_adapters
from hbspec.catalog.engines.environment import words_of
from hbspec.catalog.engines.facts import LAST_WITH_BITSANDBYTES, NEWEST, facts, judged_by

LORA = '{"name": "candidate", "path": "/opt/ml/model"}'
VLLM = {"SM_VLLM_MODEL": "Qwen/Qwen2.5-7B", "SM_VLLM_DTYPE": "bfloat16"}
LMI = {"OPTION_MODEL_ID": "Qwen/Qwen2.5-7B", "OPTION_ROLLING_BATCH": "disable", "OPTION_DTYPE": "bf16"}

GOOD = [
    ("vllm", {}, NEWEST),
    ("vllm", {"TENSOR_PARALLEL_SIZE": "8"}, NEWEST),
    ("vllm", {"ENABLE_LORA": "true", "MAX_LORA_RANK": "320", "LORA_MODULES": LORA}, NEWEST),
    ("vllm", {"ENABLE_LORA": "true", "LORA_MODULES": "candidate=/opt/ml/model"}, NEWEST),
    ("vllm", {"ENABLE_LORA": "true", "LORA_MODULES": f"[{LORA}, {LORA}]"}, NEWEST),
    ("vllm", {"QUANTIZATION": "fp8"}, NEWEST),
    ("vllm", {"QUANTIZATION": "bitsandbytes"}, LAST_WITH_BITSANDBYTES),
    ("vllm", {"MAX_MODEL_LEN": "4096", "MAX_NUM_SEQS": "2048", "MAX_NUM_BATCHED_TOKENS": "2048"}, NEWEST),
    ("vllm", {"MAX_MODEL_LEN": "32k"}, NEWEST),
    ("vllm", {"GPU_MEMORY_UTILIZATION": "1"}, NEWEST),
    ("vllm", {"ENABLE_PREFIX_CACHING": "true", "SERVED_MODEL_NAME": '["base", "other"]'}, NEWEST),
    ("vllm", {"NO_ENABLE_PREFIX_CACHING": "true"}, NEWEST),
    ("vllm", {"KV_CACHE_DTYPE": "fp8", "REVISION": "abc"}, NEWEST),
    ("djl-lmi", {}, NEWEST),
    ("djl-lmi", {"MAX_ROLLING_BATCH_SIZE": "4", "TENSOR_PARALLEL_DEGREE": "8"}, NEWEST),
    ("djl-lmi", {"ENABLE_LORA": "true", "MAX_LORA_RANK": "64", "MAX_LORAS": "1"}, NEWEST),
    ("djl-lmi", {"QUANTIZE": "fp8", "KV_CACHE_DTYPE": "fp8"}, NEWEST),
    ("djl-lmi", {"ASYNC_MODE": "true", "ENTRYPOINT": "djl_python.lmi_vllm.vllm_async_service"}, NEWEST),
    ("djl-lmi", {"MAX_MODEL_LEN": "4096", "ENABLE_PREFIX_CACHING": "false", "SERVED_MODEL_NAME": "base"}, NEWEST),
    ("djl-lmi", {"MAX_ROLLING_BATCH_PREFILL_TOKENS": "2048", "CHAT_TEMPLATE": "/opt/ml/model/t.jinja"}, NEWEST),
]
BAD = [
    ("vllm", {"MAX_SEQS": "4"}, NEWEST, "MAX_SEQS"),
    ("vllm", {"MAX_LORA_RANK": "24"}, NEWEST, "MAX_LORA_RANK"),  # of no list
    ("vllm", {"MAX_LORA_RANK": "48"}, NEWEST, "MAX_LORA_RANK"),
    ("vllm", {"LORA_MODULES": LORA}, NEWEST, "LORA_MODULES"),  # nothing loads them
    ("vllm", {"ENABLE_LORA": "true", "LORA_MODULES": '{"name": "candidate"}'}, NEWEST, "LORA_MODULES"),
    ("vllm", {"QUANTIZATION": "bitsandbytes"}, NEWEST, "QUANTIZATION"),  # a plugin since 0.28
    ("vllm", {"QUANTIZATION": "int8"}, NEWEST, "QUANTIZATION"),
    ("vllm", {"DTYPE": "bf16"}, NEWEST, "DTYPE"),  # LMI's word
    ("vllm", {"ENABLE_LORA": "yes"}, NEWEST, "ENABLE_LORA"),
    ("vllm", {"ENABLE_PREFIX_CACHING": "false"}, NEWEST, "ENABLE_PREFIX_CACHING"),  # dropped: it stays on
    ("vllm", {"TENSOR_PARALLEL_SIZE": "0"}, NEWEST, "TENSOR_PARALLEL_SIZE"),
    ("vllm", {"GPU_MEMORY_UTILIZATION": "1.2"}, NEWEST, "GPU_MEMORY_UTILIZATION"),
    ("vllm", {"MAX_NUM_SEQS": "4096", "MAX_NUM_BATCHED_TOKENS": "2048"}, NEWEST, "MAX_NUM_BATCHED_TOKENS"),
    ("vllm", {"MAX_MODEL_LEN": "true"}, NEWEST, "MAX_MODEL_LEN"),
    ("djl-lmi", {"DTYPE": "bfloat16"}, NEWEST, "DTYPE"),
    ("djl-lmi", {"MAX_NUM_SEQS": "32"}, NEWEST, "MAX_NUM_SEQS"),
    ("djl-lmi", {"TENSOR_PARALLEL_SIZE": "4"}, NEWEST, "TENSOR_PARALLEL_SIZE"),
    ("djl-lmi", {"LORA_MODULES": LORA}, NEWEST, "LORA_MODULES"),  # dropped: the base model answers
    ("djl-lmi", {"QUANTIZE": "bitsandbytes"}, LAST_WITH_BITSANDBYTES, "QUANTIZE"),  # not in the image
    ("djl-lmi", {"ROLLING_BATCH": "lmi-dist"}, NEWEST, "ROLLING_BATCH"),
    ("djl-lmi", {"PIPELINE_PARALLEL_DEGREE": "2"}, NEWEST, "PIPELINE_PARALLEL_DEGREE"),
    ("djl-lmi", {"MAX_LORA_RANK": "48"}, NEWEST, "MAX_LORA_RANK"),
]


def environment(engine: str, more: dict[str, str]) -> tuple[str, dict[str, str]]:
    prefix, usual = ("SM_VLLM_", VLLM) if engine == "vllm" else ("OPTION_", LMI)
    return prefix, usual | {f"{prefix}{name}": value for name, value in more.items()}


@pytest.mark.parametrize(("engine", "more", "release"), GOOD)
def test_a_good_environment_is_taken(engine: str, more: dict[str, str], release: str) -> None:
    assert refusals(engine, environment(engine, more)[1], release) == []


@pytest.mark.parametrize(("engine", "more", "release", "named"), BAD)
def test_a_bad_environment_is_refused_at_its_variable(
    engine: str, more: dict[str, str], release: str, named: str
) -> None:
    prefix, given = environment(engine, more)
    assert [name for name, _ in refusals(engine, given, release)] == [f"{prefix}{named}"]


def test_one_engine_s_names_are_not_the_other_s() -> None:
    assert [name for name, _ in refusals("vllm", VLLM | LMI)] == list(LMI)
    assert [name for name, _ in refusals("djl-lmi", VLLM | LMI)] == list(VLLM)
    assert refusals("vllm", VLLM | {"HF_TOKEN": "x", "AWS_REGION": "us-east-1"}) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("true", []),
        ("TRUE", []),
        ("false", None),
        ("", []),
        ("[]", None),
        ("a b", ["a b"]),
        (LORA, [LORA]),
        ('{"a":1} {"b":2}', ['{"a":1}', '{"b":2}']),
        ('["x", true, 1, null]', ["x", "true", "1", ""]),
        ("[x", ["[x"]),
    ],
)
def test_words_are_those_of_aws_s_entry_point(value: str, words: list[str] | None) -> None:
    assert words_of("served-model-name", value) == words
    assert words_of("middleware", '["a"]') == ['["a"]']


def test_facts_say_where_they_were_read() -> None:
    for name in ("vllm-0.30.0", "vllm-0.27.1", "lmi", "sagemaker-vllm"):
        found = facts(name)
        assert found["repository"].startswith("https://github.com/")
        assert len(found["commit"]) >= 9
        assert all(len(digest) == 64 for digest in found["files"].values())
    assert lora_ranks() == (1, 8, 16, 32, 64, 128, 256, 320, 512)
    assert refused_adapters() == ("bias", "modules_to_save", "use_dora")
    assert (judged_by("0.28.1"), judged_by("0.26.0")) == (NEWEST, LAST_WITH_BITSANDBYTES)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        (
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/djl-inference:0.38.0-lmi29.0.0-cu130",
            ("djl-lmi", "13.0", None),
        ),
        ("1.dkr.ecr.x.amazonaws.com/team/vllm:0.27.1-gpu-py312-cu129-ubuntu22.04", ("vllm", "12.9", "0.27.1")),
        ("localhost:5000/vllm", ("vllm", None, None)),
        ("vllm/vllm-openai:v0.30.0", (None, None, None)),
        ("1.dkr.ecr.x.amazonaws.com/mine@sha256:" + "0" * 64, (None, None, None)),
    ],
)
def test_an_image_s_name_says_what_is_in_it(uri: str, said: tuple[str | None, str | None, str | None]) -> None:
    assert tuple(own_image(uri)) == said
