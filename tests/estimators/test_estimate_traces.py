"""Peaks of real transformers + peft models under fake tensors, against the closed form.

Traced with torch 2.13.0, transformers 5.23.0, peft 0.21.2, bitsandbytes 0.50.2 on the CPU: one micro-batch of one row,
AdamW states allocated, no autocast, no k-bit preparation, rank 16 on all linear modules, dropout 0.05, sdpa. GiB.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from planned import FULL, LORA, QLORA, R1, planned

from hbspec.catalog import Architecture
from hbspec.estimators.moments import job_of, moments, peak_moment
from hbspec.estimators.placement import Stage
from hbspec.estimators.precision import Precision
from hbspec.units import GIB

METHODS = {"lora": LORA, "qlora": QLORA, "full": FULL}
SMALL, SEVEN = "Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-7B"

TRACES = [
    # model, method, bytes of a trained number, tokens, checkpointing, loss, GiB
    (R1, "lora", 4, 1024, True, "standard", 64.913),
    (R1, "lora", 2, 1024, True, "standard", 64.163),
    (R1, "qlora", 4, 1024, True, "standard", 21.781),
    (R1, "qlora", 2, 1024, True, "standard", 21.031),
    (R1, "lora", 4, 4096, True, "standard", 72.069),
    (R1, "lora", 2, 4096, True, "standard", 71.319),
    (R1, "qlora", 4, 4096, True, "standard", 28.937),
    (R1, "qlora", 2, 4096, True, "standard", 28.187),
    (R1, "lora", 4, 1024, False, "standard", 96.229),
    (R1, "lora", 2, 1024, False, "standard", 88.340),
    (R1, "qlora", 4, 1024, False, "standard", 53.097),
    (R1, "qlora", 2, 1024, False, "standard", 45.208),
    (R1, "lora", 4, 4096, False, "standard", 197.332),
    (R1, "lora", 2, 4096, False, "standard", 168.028),
    (R1, "qlora", 4, 4096, False, "standard", 154.200),
    (R1, "qlora", 2, 4096, False, "standard", 124.895),
    (R1, "qlora", 2, 4096, True, "fused", 23.109),
    (R1, "qlora", 2, 1024, True, "fused", 19.960),
    (R1, "lora", 4, 4096, True, "fused", 67.934),
    (SEVEN, "qlora", 2, 4096, True, "fused", 7.510),
    (SMALL, "full", 2, 1024, True, "standard", 4.548),
    (SMALL, "full", 2, 4096, True, "standard", 9.908),
    (SMALL, "full", 2, 1024, False, "standard", 5.820),
    (SMALL, "full", 2, 4096, False, "standard", 15.000),
    (SEVEN, "full", 2, 1024, True, "standard", 56.748),
    (SEVEN, "full", 2, 4096, True, "standard", 56.768),
    (SEVEN, "full", 2, 1024, False, "standard", 56.748),
    (SEVEN, "full", 2, 4096, False, "standard", 73.703),
]


def traced_job(model, method, trained, tokens, checkpointing, loss, *, precision=None, **changes):
    plan = planned(
        model,
        instance={"parallelism": "single"},
        tokens=(tokens, tokens),
        method=METHODS[method],
        gradient_accumulation_steps=1,
        gradient_checkpointing=checkpointing,
        optim="adamw_torch_fused",  # the traces stop before the update and its temporaries
        **changes,
    )
    dtype = {2: "bfloat16", 4: "float32"}[trained]
    training = replace(plan.training, loss=loss, adapter_dtype=dtype, weights_dtype="bfloat16")
    job = job_of(replace(plan, training=training))
    return replace(job, precision=precision or Precision(compute=2, stream=2, trained=trained, autocast=False))


def whole(job):
    return Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)


@pytest.mark.parametrize(("model", "method", "trained", "tokens", "checkpointing", "loss", "gib"), TRACES)
def test_peak_is_the_traced_one(model, method, trained, tokens, checkpointing, loss, gib):
    job = traced_job(model, method, trained, tokens, checkpointing, loss)
    terms = peak_moment(job, whole(job), tokens)[1]
    assert sum(terms.values()) / GIB == pytest.approx(gib, rel=0.002)


def test_largest_moment_is_the_traced_one():
    standard = traced_job(R1, "qlora", 2, 4096, True, "standard")
    fused = traced_job(R1, "qlora", 2, 4096, True, "fused")
    full = traced_job(SEVEN, "full", 2, 4096, True, "standard")
    assert peak_moment(standard, whole(standard), 4096)[0] == "loss"
    assert peak_moment(fused, whole(fused), 4096)[0] == "recompute"
    assert peak_moment(full, whole(full), 4096)[0] == "backward"


SMALL_LAYERS = [
    # k-bit preparation and autocast: hidden, queries, keys, intermediate, adapters' bytes, dropout, rise
    (960, 1024, 256, 2624, 2, 0.05, 423_880_712),
    (832, 256, 128, 768, 2, 0.05, 218_429_448),
    (896, 128, 128, 2176, 2, 0.05, 346_585_608),
    (448, 384, 128, 3136, 4, 0.05, 387_440_136),
    (576, 384, 128, 1600, 4, 0.05, 264_109_576),
    (448, 1024, 512, 1856, 4, 0.05, 291_596_296),
    (832, 512, 256, 2048, 2, 0.0, 305_747_976),
    (768, 128, 128, 2176, 2, 0.0, 303_032_840),
]


@pytest.mark.parametrize(("hidden", "query", "key", "intermediate", "trained", "dropout", "rise"), SMALL_LAYERS)
def test_k_bit_preparation_makes_the_stream_four_bytes(hidden, query, key, intermediate, trained, dropout, rise):
    """Two layers, a vocabulary of 256 and 4,096 tokens: the largest moment is the backward pass of a layer."""
    architecture = tiny(hidden, query, key, intermediate)
    job = traced_job(
        R1,
        "qlora",
        trained,
        4096,
        True,
        "standard",
        precision=Precision(compute=2, stream=4, trained=trained, autocast=True),
        architecture=architecture,
        lora_dropout=dropout,
    )
    start = sum(sum(group.values()) for group in started(job))
    peak = sum(peak_moment(job, whole(job), 4096)[1].values())
    assert peak - start == pytest.approx(rise, rel=0.001 if dropout else 0.05)


def started(job):
    terms = dict(moments(job, whole(job), 1))["optimizer"]
    yield {name: size for name, size in terms.items() if name not in ("gradients", "inputs", "optimizer_temporaries")}


def tiny(hidden, query, key, intermediate):
    return Architecture.from_config(
        {
            "model_type": "qwen2",
            "hidden_size": hidden,
            "intermediate_size": intermediate,
            "num_hidden_layers": 2,
            "num_attention_heads": query // 64,
            "num_key_value_heads": key // 64,
            "head_dim": 64,
            "vocab_size": 256,
            "max_position_embeddings": 8192,
            "tie_word_embeddings": False,
        }
    )
