"""Rows to plans: by mechanism, tolerant of spellings, and never anything but a plan or a reason."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rows import LORA
from measured.fitted import Constants
from measured.mapping import express
from measured.models import SHAPES, UNGATED_SHAPES, NoArchitectureError, architecture_of
from measured.placement import instance
from measured.reason import NotExpressibleError
from measured.row import COLUMNS, Row
from measured.score import judge

from hbspec.catalog import Architecture
from hbspec.catalog.parameters import total_parameters
from hbspec.estimators.constants import MEMORY, STEP
from hbspec.estimators.serving.constants import SERVING

SHIPPED = Constants(MEMORY, STEP, SERVING)


def row(**cells):
    return Row({column: cells.get(column, LORA.get(column, "")) for column in COLUMNS})


SPELLINGS = """
? none y n 1 8 0 -1 1e99 4 full qlora dora nf4 int8 fp8 T4-16GB A10G zero3 naive_mp fsdp fsdp2+tp3 gemma-2-9b
Qwen/Qwen3-30B-A3B openai/gpt-oss-20b
"""
WORDS = st.sampled_from(["", *SPELLINGS.split()]) | st.text(max_size=12)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(COLUMNS), WORDS, max_size=8))
def test_any_row_is_judged_or_has_a_reason(cells):
    (judged,) = judge([row(**cells)], lambda source: SHIPPED)
    assert (judged.case is None) == bool(judged.reason)
    assert judged.case is None or judged.case.plan.training.max_length == judged.row.whole("seq_len")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A100-80GB", {"gpu": "A100-80"}),
        ("NVIDIA A100-SXM4-40GB", {"gpu": "A100-40"}),
        ("A10G-24GB", {"gpu": "A10G"}),
        ("A10", {"gpu": "A10"}),
        ("L40", {"gpu": "L40"}),
        ("L40S 48GB", {"gpu": "L40S"}),
        ("Tesla T4", {"gpu": "T4"}),
        ("RTX3090-24GB", {"gpu": "RTX 3090"}),
        ("A6000 48 GB", {"gpu": "RTX A6000"}),
        ("H100-96GB HBM2e 500W (custom)", {"gpu": "H100-96"}),
        ("H100-80GB", {"gpu": "H100-80"}),
        ("Gaudi2 96GB", {"gpu": "Gaudi2 96GB", "gpu_memory": "96 GiB"}),
    ],
)
def test_gpus_are_found_by_name_and_memory(text, expected):
    found = instance(row(gpu=text))
    assert {key: found[key] for key in ("gpu", "gpu_memory") if key in found} == expected


def test_a_gpu_without_name_and_memory_is_a_reason():
    with pytest.raises(NotExpressibleError, match="GPU Frobnicator: its memory is not stated"):
        instance(row(gpu="Frobnicator"))


def test_a_gpu_that_nobody_has_listed_is_judged_by_its_memory():
    assert express(row(gpu="Gaudi2 96GB")).plan.hardware.gpu.usable_bytes == int(0.98 * 96 * 2**30)


@pytest.mark.parametrize(
    ("text", "gpus", "expected"),
    [
        ("single", "1", {"parallelism": "single", "count": 1, "gpus": 1}),
        ("fsdp+cpu_offload", "2", {"parallelism": "fsdp", "offload": "all"}),
        ("ddp (FSDP NO_SHARD)", "2", {"parallelism": "fsdp", "sharding": "none"}),
        ("ddp/zero2 multinode", "4", {"parallelism": "zero2"}),
        ("DeepSpeed ZeRO-3", "16", {"parallelism": "zero3", "count": 2, "gpus": 8}),
        ("zero2+cpu_offload", "4", {"parallelism": "zero2", "offload": "optimizer"}),
        ("naive_mp", "4", {"parallelism": "pipeline"}),
        ("fsdp32+tp8", "256", {"parallelism": "fsdp", "tensor_parallel": 8, "count": 32}),
    ],
)
def test_placements(text, gpus, expected):
    found = instance(row(parallelism=text, n_gpus=gpus))
    assert {key: found.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"parallelism": "fsdp4+cp2", "n_gpus": "8"}, "parallelism fsdp4+cp2"),
        ({"gradient_checkpointing": "y (selective)"}, "selective activation checkpointing"),
        ({"compute_dtype": "fp8+bf16"}, "computes in fp8"),
        ({"quant": "aqlm-2bit"}, "weights stored as aqlm-2bit"),
        ({"seq_len": ""}, "the sequence length is not stated"),
        ({"lora_r": "?"}, "the adapter rank is not stated"),
        ({"optimizer": "galore_adamw"}, "optimizer galore_adamw"),
        ({"method": "boft"}, "method boft"),
        ({"model_id": "tiiuae/falcon-40b"}, "a model whose MLP has no gate: no supported family"),
        ({"params_b": "13.0"}, "13.00B parameters stated, 6.74B in the model known by that name"),
    ],
)
def test_what_cannot_be_said_has_its_reason(cells, reason):
    with pytest.raises(NotExpressibleError) as refused:
        express(row(**cells))
    assert reason in str(refused.value)


def test_the_framework_decides_what_runs():
    trl = express(row(method="qlora", quant="nf4", framework="trl SFTTrainer")).plan.training
    plain = express(row(method="qlora", quant="nf4")).plan.training
    assert (trl.weights_dtype, trl.adapter_dtype) == ("bfloat16", "bfloat16")
    assert (plain.weights_dtype, plain.adapter_dtype, plain.double_quant) == ("float32", "float32", False)
    lit = express(row(compute_dtype="bf16-true", framework="litgpt", fused_ce="n (chunks of 128 tokens)")).plan.training
    assert (lit.adapter_dtype, lit.autocast, lit.loss) == ("bfloat16", False, "chunked")


def test_a_row_that_counts_otherwise_is_named():
    assert express(row(notes="trainable params 8388608")).disagrees is None
    assert "8,388,608 trained parameters counted" in express(row(notes="trainable params 8000000")).disagrees


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in (*SHAPES, *UNGATED_SHAPES)])
def test_every_shape_is_an_architecture(pattern):
    shape = dict((*SHAPES, *UNGATED_SHAPES))[pattern]
    assert total_parameters(Architecture.from_config(shape.config)) > 1e8


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("Qwen/Qwen-1_8B-Chat", 1.837e9),
        ("Qwen/Qwen-7B-Chat-Int4", 7.721e9),
        ("Qwen-14B", 14.167e9),
        ("Qwen1.5-7B-Chat", 7.721e9),
        ("qwen1half-7b-chat-awq", 7.721e9),
        ("google/gemma-2b", 2.506e9),
        ("google/gemma-7b-it", 8.538e9),
        ("google/gemma-2-2b-it", 2.614e9),
        ("THUDM/chatglm3-6b", 6.244e9),
        ("7B (llama2-7B-hf assumed)", 6.738e9),
        ("h2oai/h2ogpt-4096-llama2-70b", 68.977e9),
        ("TheBloke/Mixtral-8x7B-Instruct-v0.1-GPTQ", 46.703e9),
        ("meta-llama/Meta-Llama-3-8B-Instruct", 8.030e9),
        ("unsloth/Llama-3.2-1B-Instruct-bnb-4bit", 1.236e9),
        ("Qwen/Qwen2.5-Coder-32B-Instruct", 32.764e9),
        ("Qwen/Qwen3-8B-Base", 8.191e9),
        ("microsoft/Phi-3-mini-4k-instruct", 3.821e9),
        ("mistralai/Mistral-7B-Instruct-v0.3", 7.248e9),
    ],
)
def test_models_have_the_parameters_that_their_publishers_count(name, published):
    found = architecture_of(name, None)
    assert total_parameters(found.architecture) == pytest.approx(published, rel=0.01)
    assert not found.stand_in


@pytest.mark.parametrize("name", ["microsoft/phi-1_5", "EleutherAI/pythia-1b", "", "x"])
def test_other_models_are_not_guessed(name):
    with pytest.raises(NoArchitectureError):
        architecture_of(name, None)


@pytest.mark.parametrize(
    ("name", "published"), [("mosaicml/mpt-7b", 6.649e9), ("mosaicml/mpt-30b", 29.975e9), ("tiiuae/falcon-7b", 6.92e9)]
)
def test_a_model_without_a_gate_is_one_with_as_many_weights_for_time_only(name, published):
    found = architecture_of(name, None)
    assert total_parameters(found.architecture) == pytest.approx(published, rel=0.01)
    (judged,) = judge([row(model_id=name, params_b="", tokens_per_s_per_gpu="3000")], lambda source: SHIPPED)
    assert judged.estimates.keys() == {"tokens_per_second_per_gpu"}
    assert judged.stand_ins == (found.stand_in,)
