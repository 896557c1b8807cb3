"""Rows to plans: by mechanism, tolerant of spellings, and never anything but a plan or a reason."""

from __future__ import annotations

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from made_rows import LORA
from measured.fitted import Constants
from measured.judged import judge
from measured.mapping import FOAK, express
from measured.models import SHAPES, UNGATED_SHAPES, NoArchitectureError, architecture_of
from measured.placement import instance
from measured.reason import NotExpressibleError
from measured.row import COLUMNS, Row

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


@examples(300)
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
        ("ddp (2 GPUs)", "2", {"parallelism": "ddp"}),
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
        ({"parallelism": "zero3+sp4", "n_gpus": "8"}, "parallelism zero3+sp4"),
        ({"parallelism": "zero3_sp_4", "n_gpus": "8"}, "parallelism zero3_sp_4"),
        ({"lora_targets": "qproj vproj"}, "adapters on qproj vproj: the model has no such module"),
        ({"notes": "objective=ORPO, dummy data"}, "objective ORPO"),
        ({"gradient_checkpointing": "y (selective)"}, "selective activation checkpointing"),
        ({"compute_dtype": "fp8+bf16"}, "computes in fp8"),
        ({"quant": "aqlm-2bit"}, "weights stored as aqlm-2bit"),
        ({"seq_len": ""}, "the sequence length is not stated"),
        ({"lora_r": "?"}, "the adapter rank is not stated"),
        ({"optimizer": "galore_adamw"}, "optimizer galore_adamw"),
        ({"method": "boft"}, "method boft"),
        ({"model_id": "bigscience/bloom-7b1"}, "a model whose MLP has no gate: no supported family"),
        ({"params_b": "13.0"}, "13.00B parameters stated, 6.74B in the model known by that name"),
    ],
)
def test_what_cannot_be_said_has_its_reason(cells, reason):
    with pytest.raises(NotExpressibleError) as refused:
        express(row(**cells))
    assert reason in str(refused.value)


def test_llama_recipes_checkpoints_without_reentrance_under_fsdp_only():
    # policies/activation_checkpointing_functions.py wraps layers under FSDP; a quantised model on one GPU gets
    # transformers' own, from peft's k-bit preparation
    of = {"framework": "llama-recipes", "gradient_checkpointing": "y"}
    sharded = express(row(parallelism="fsdp", n_gpus="4", **of)).plan.training
    alone = express(row(quant="int8", **of)).plan.training
    assert (sharded.use_reentrant, alone.use_reentrant) == (False, True)


def test_the_framework_decides_what_runs():
    trl = express(row(method="qlora", quant="nf4", framework="trl SFTTrainer")).plan.training
    plain = express(row(method="qlora", quant="nf4")).plan.training
    assert (trl.weights_dtype, trl.adapter_dtype) == ("bfloat16", "bfloat16")
    assert (plain.weights_dtype, plain.adapter_dtype, plain.double_quant) == ("float32", "float32", False)
    lit = express(row(compute_dtype="bf16-true", framework="litgpt", fused_ce="n (chunks of 128 tokens)")).plan.training
    assert (lit.trainer, lit.adapter_dtype, lit.autocast, lit.loss) == ("litgpt", "bfloat16", False, "standard")


def test_a_kernel_on_the_logits_is_a_loss_in_place():
    case = express(row(fused_ce="y (foak fast CE kernel)"))
    assert case.plan.training.loss == "in_place_shifted"
    assert case.stand_ins == (FOAK,)
    assert express(row(fused_ce="y (fast CE kernel)")).plan.training.loss == "in_place"
    assert express(row(fused_ce="y (Liger)")).plan.training.loss == "fused"


@pytest.mark.parametrize(
    ("text", "expected", "said"),
    [
        ("DEFAULT (attention: c_attn / qkv)", ["q_proj", "k_proj", "v_proj"], ()),
        ("q,v", ["q_proj", "v_proj"], ()),
        ("c_attn,c_proj", ["q_proj", "k_proj", "v_proj", "o_proj", "down_proj"], ()),
        ("q_proj,qproj", ["q_proj"], ("adapters on qproj, which the model does not have, left out",)),
    ],
)
def test_adapted_modules(text, expected, said):
    case = express(row(lora_targets=text))
    assert list(case.values["hyperparameters"]["target_modules"]) == expected
    assert case.stand_ins == said


BF16 = ("bfloat16", "bfloat16")


@pytest.mark.parametrize(
    ("text", "quant", "dtypes", "autocast"),
    [
        ("bf16 (model default; fp16 for gptq)", "none", BF16, True),
        ("bf16 (model default; fp16 for gptq)", "gptq-int4", ("float16", "float32"), True),
        ("bf16 (no AMP)", "none", BF16, False),
        ("pure bfloat16", "none", BF16, False),
        ("fp16 amp (fp32 params)", "none", ("float16", "float32"), True),
    ],
)
def test_dtypes(text, quant, dtypes, autocast):
    found = express(row(compute_dtype=text, quant=quant)).values
    compute = "float16" if found["hyperparameters"]["fp16"] else "bfloat16"
    assert (compute, found["software"]["weights_dtype"]) == dtypes
    assert found["software"]["autocast"] is autocast


def test_deepspeed_on_one_gpu_keeps_master_weights():
    said = {"method": "full", "notes": "full-param optimizer AdamW via DeepSpeed"}
    assert express(row(**said)).plan.parallelism == "zero3"
    assert express(row(notes="fp16 + deepspeed zero2 single GPU")).plan.parallelism == "zero2"
    assert express(row()).plan.parallelism == "single"


def test_k_bit_preparation_turns_checkpointing_on_where_nothing_is_said():
    quantised = express(row(method="qlora", quant="nf4", gradient_checkpointing="?"))
    plain = express(row(gradient_checkpointing="?"))
    assert quantised.plan.training.gradient_checkpointing
    assert not plain.plan.training.gradient_checkpointing
    assert [plan.training.gradient_checkpointing for plan in plain.others][-1]


def test_lengths_of_a_stated_mean_end_at_the_cap():
    notes = "token stats 3234+-2547 before max_length filter; longer samples dropped"
    means = [
        express(row(notes=notes, seq_len=cap)).values["data"]["tokens"]["mean"] for cap in ("512", "8192", "100000")
    ]
    assert 256 < means[0] < 512
    assert means[1] < means[2] == pytest.approx(3720, rel=0.01)
    assert express(row(notes=notes)).row.lengths_vary


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


@pytest.mark.parametrize("name", ["EleutherAI/gpt-j-6b", "bigscience/bloom-7b1", "", "x"])
def test_other_models_are_not_guessed(name):
    with pytest.raises(NoArchitectureError):
        architecture_of(name, None)


@pytest.mark.parametrize(("name", "published"), [("mosaicml/mpt-7b", 6.649e9), ("mosaicml/mpt-30b", 29.975e9)])
def test_a_model_without_a_gate_is_one_with_as_many_weights_for_time_only(name, published):
    found = architecture_of(name, None)
    assert total_parameters(found.architecture) == pytest.approx(published, rel=0.01)
    (judged,) = judge([row(model_id=name, params_b="", tokens_per_s_per_gpu="3000")], lambda source: SHIPPED)
    assert judged.estimates.keys() == {"tokens_per_second_per_gpu"}
    assert judged.stand_ins == (found.stand_in,)
