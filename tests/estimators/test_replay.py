"""The replay of a training process: as recorded on a GPU, told from few layers, and from few micro-batches."""

from __future__ import annotations

from itertools import accumulate
from random import Random
from typing import Any

import pytest
from planned import TRAINER, planned

from hbspec.catalog import Architecture, catalog
from hbspec.estimators.step.allocator import OutOfMemoryError
from hbspec.estimators.step.blueprint import Blueprint
from hbspec.estimators.step.job import Job, job_of
from hbspec.estimators.step.lifetimes.kinds import kinds
from hbspec.estimators.step.lifetimes.stream import NOWHERE, OUTSIDE, Stream, neighbourhoods, recorded, stream
from hbspec.estimators.step.moments import peak_moment
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.positions import program_at
from hbspec.estimators.step.process import Circumstances, Process
from hbspec.estimators.step.replay import History, replay
from hbspec.estimators.training.draws import MOST_RECORDS, records, rising, updates
from hbspec.estimators.training.memory import memory
from hbspec.plan.lengths import given_lengths

LLAMA = {"model_type": "llama", "hidden_act": "silu", "hidden_size": 2048, "num_attention_heads": 32}
TINY = {**LLAMA, "num_hidden_layers": 22, "num_key_value_heads": 4, "intermediate_size": 5632, "vocab_size": 32000}
"""TinyLlama 1.1B."""

SMALL = {
    **LLAMA,
    "num_hidden_layers": 24,
    "num_key_value_heads": 32,
    "intermediate_size": 8192,
    "vocab_size": 49152,
    "tie_word_embeddings": True,
}
"""SmolLM2 1.7B."""

LOOP = {
    "trainer": "loop",
    "transformers": "5.0.0",
    "weights_dtype": "float16",
    "adapter_dtype": "float32",
    "autocast": False,
}
ATTENTION = {"target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"], "lora_dropout": 0.0}

MEASURED = [
    (SMALL, 1024, 4, "sdpa", 7_438_598_144),
    (SMALL, 2048, 1, "sdpa", 5_660_213_248),
    (SMALL, 1024, 4, "eager", 8_109_686_784),
    (SMALL, 2048, 1, "eager", 7_493_124_096),
    (TINY, 1024, 2, "sdpa", 3_703_570_432),
    (TINY, 2048, 2, "sdpa", 4_924_112_896),
    (TINY, 512, 2, "eager", 3_049_259_008),
    (TINY, 1024, 2, "eager", 4_431_282_176),
    (TINY, 2048, 2, "eager", 8_034_189_312),
]
"""Bytes reserved on a T4 by a step of LoRA in float16, as `torch.cuda.max_memory_reserved` told: fitcheck-llm 0.3.1
(PyPI), `data/measurements/t4-sweep-2026-09-15.json`."""


def whole(job: Job) -> Stage:
    return Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)


@pytest.mark.parametrize(("model", "tokens", "rows", "kernel", "reserved"), MEASURED)
def test_what_a_gpu_reserved_is_reserved_to_the_byte(
    model: dict[str, Any], tokens: int, rows: int, kernel: str, reserved: int
) -> None:
    job = job_of(
        planned(
            architecture=Architecture.from_config(model),
            instance={"type": "ml.g4dn.xlarge", "parallelism": "single"},
            tokens=(float(tokens), tokens),
            method={"method": "lora", "lora_r": 32, **ATTENTION},
            sections={"software": LOOP},
            per_device_batch_size=rows,
            gradient_accumulation_steps=1,
            max_length=tokens,
            fp16=True,
            bf16=False,
            gradient_checkpointing=True,
            attn_implementation=kernel,
            loss="standard",
            optim="adamw_torch",
        )
    )
    blueprint = Blueprint(job, whole(job))
    assert replay(blueprint, ((tokens,), (tokens,)), Circumstances()) == reserved


QUERY_AND_VALUE = {"method": "lora", "lora_r": 8, "target_modules": ["q_proj", "v_proj"]}
PROGRAMS: list[dict[str, Any]] = [
    {},
    {"attn_implementation": "eager", "gradient_checkpointing": False},
    {
        "method": {"method": "lora", "lora_r": 8, "target_modules": ["q_proj", "v_proj"]},
        "gradient_checkpointing": False,
    },
    {"method": {"method": "full"}, "per_device_batch_size": 2},
]
MODELS = ["meta-llama/Llama-3.2-1B", "google/gemma-3-1b-it", "Qwen/Qwen2.5-0.5B", "openai/gpt-oss-20b"]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("changed", PROGRAMS, ids=lambda changed: ",".join(changed) or "seed")
def test_all_layers_come_and_go_as_told_from_a_few(model: str, changed: dict[str, Any]) -> None:
    job = job_of(planned(model, instance={"parallelism": "single"}, tokens=(512.0, 700), **changed))
    for tokens in (300, 700):
        program = program_at(job, tokens)
        layers = job.architecture.num_hidden_layers
        few = stream(job.architecture, program)
        every = recorded(job.architecture, program, layers, range(layers))
        for layer in range(layers):
            assert few.forward[few.run[layer]] == every.forward[layer]
            assert few.backward[few.run[layer]] == every.backward[layer]
        for name in OUTSIDE:
            assert few.outside[name].sizes == every.outside[name].sizes
            assert outside(few, name) == outside(every, name)
    assert len(few.forward) < layers


def outside(told: Stream, name: str) -> list[tuple[bool, str, int, int]]:
    """The events of a phase outside the layers, for every layer of the model."""
    return sorted(
        (comes, owner, layer, number)
        for comes, owner, at, number in told.outside[name].events
        for layer in ([NOWHERE] if at == NOWHERE else told.layers(at))
    )


def test_neighbourhoods_hold_every_kind_between_its_neighbours() -> None:
    for model in MODELS:
        job = job_of(planned(model, instance={"parallelism": "single"}))
        alike = (-1, *kinds(job.architecture, job.program).of[1:])
        chosen = neighbourhoods(alike)
        assert all(alike[layer] == alike[stands] for layer, stands in enumerate(chosen))


@pytest.mark.one_in(4)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("changed", "more"), list(zip(PROGRAMS[:3], (0.002, 0.07, 0.01), strict=True)))
def test_the_longest_rows_so_far_reserve_nearly_all(seed: int, changed: dict[str, Any], more: float) -> None:
    random = Random(seed)
    rows = [random.randint(50, 700) for _ in range(40)]
    plan = planned(
        "meta-llama/Llama-3.2-1B",
        instance={"parallelism": "single"},
        gradient_accumulation_steps=1,
        sections={"software": {"trainer": "transformers"}},
        **changed,
    )
    job = job_of(plan)
    blueprint = Blueprint(job, whole(job))
    longest = [row for row, most in zip(rows, [0, *accumulate(rows, max)], strict=False) if row > most]
    every, few = (
        replay(blueprint, tuple((row,) for row in order), Circumstances(whole=False)) for order in (rows, longest)
    )
    assert few <= every <= few * (1 + more)


@pytest.mark.one_in(5)
@pytest.mark.parametrize("accumulation", [1, 4])
@pytest.mark.parametrize("changed", PROGRAMS, ids=lambda changed: ",".join(changed) or "seed")
@pytest.mark.parametrize("model", MODELS)
def test_a_reserve_holds_the_tensors_and_expandable_segments_little_more(
    model: str, changed: dict[str, Any], accumulation: int
) -> None:
    more = {**changed, "gradient_accumulation_steps": accumulation}
    job = job_of(planned(model, instance={"parallelism": "single"}, **more))
    blueprint = Blueprint(job, whole(job))
    tensors = peak_moment(job, whole(job), 689).total
    fixed, expanding = (
        replay(blueprint, ((300,) * accumulation, (689,) * accumulation), Circumstances(expandable=one))
        for one in (False, True)
    )
    assert tensors * 0.99 < expanding <= fixed


def test_a_process_stays_within_its_memory_if_its_tensors_do() -> None:
    plan = planned("Qwen/Qwen2.5-7B", instance={"parallelism": "single"}, sections=TRAINER, per_device_batch_size=4)
    job = job_of(plan)
    blueprint = Blueprint(job, whole(job))
    order = updates(tuple(range(100, 700, 50)), accumulates=False)
    free = replay(blueprint, order, Circumstances(whole=False))
    tensors = peak_moment(job, whole(job), 650).total
    room = (free + tensors) // 2
    assert tensors < replay(blueprint, order, Circumstances(capacity=room, whole=False)) <= room + (2 << 20)
    assert replay(blueprint, order, Circumstances(capacity=tensors // 2, whole=False)) > tensors // 2


def from_the_start(
    blueprint: Blueprint, order: tuple[tuple[int, ...], ...], around: Circumstances, capacity: int | None
) -> int:
    process = Process(blueprint, around._replace(capacity=capacity))
    try:
        process.load()
        for number, rows in enumerate(order):
            process.update(rows, first=number == 0)
        process.evaluate(max(map(max, order)))
    except OutOfMemoryError as out:
        return out.needed
    return process.reserve()


@pytest.mark.parametrize("expandable", [False, True])
def test_what_replays_share_changes_none_of_them(expandable: bool) -> None:
    job = job_of(planned("Qwen/Qwen2.5-0.5B", instance={"parallelism": "single"}, per_device_batch_size=4))
    blueprint = Blueprint(job, whole(job))
    order = updates(tuple(range(100, 1000, 150)), accumulates=True)
    around = Circumstances(expandable=expandable, whole=False)
    free = replay(blueprint, order, around)
    capacities = [*(free * share // 16 for share in range(8, 18)), None]
    alone = {capacity: replay(blueprint, order, around._replace(capacity=capacity)) for capacity in capacities}
    for queue in (capacities, capacities[::-1], sorted(capacities[:-1], key=lambda one: one % 7)):
        history = History(blueprint)
        assert {one: history.reserve(order, around._replace(capacity=one)) for one in queue} == {
            one: alone[one] for one in queue
        }
    assert alone == {capacity: from_the_start(blueprint, order, around, capacity) for capacity in capacities}
    assert len({*alone.values()}) > 3


def test_rows_are_drawn_in_an_order_that_a_seed_gives() -> None:
    lengths = given_lengths(300.0, 700)
    first, again, other = (records(lengths, 700, 2, 500, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert list(first) == sorted({*first})
    assert first[-1] == 700


def test_models_of_the_catalog_are_replayed() -> None:
    assert {*MODELS} <= {*catalog().models}


def test_expandable_segments_are_read_and_reserve_less_where_lengths_differ() -> None:
    fixed, expanding = (
        memory(planned(instance={"parallelism": "single"}, tokens=(300.0, 4096), sections={**TRAINER, "software": own}))
        for own in (TRAINER["software"], {**TRAINER["software"], "allocator": "expandable_segments:True"})
    )
    assert expanding.fullest.peak_allocated == fixed.fullest.peak_allocated
    assert expanding.fullest.peak_reserved.expected < fixed.fullest.peak_reserved.expected


def test_an_option_that_is_not_replayed_leaves_the_wider_estimate() -> None:
    plain, limited = (
        memory(planned(instance={"parallelism": "single"}, sections={"software": own})).fullest.peak_reserved
        for own in ({}, {"allocator": "max_split_size_mb:128"})
    )
    assert limited.high - limited.low > plain.high - plain.low


def test_few_orders_have_more_records_than_rise() -> None:
    lengths = given_lengths(5e5, 10**6)
    orders = [records(lengths, 10**6, 1, 1000, seed) for seed in range(300)]
    assert sum(len(order) > MOST_RECORDS for order in orders) / len(orders) < 0.05
    assert len(rising(10**6)) == MOST_RECORDS


@pytest.mark.parametrize("changed", PROGRAMS[:3], ids=lambda changed: ",".join(changed) or "seed")
def test_random_orders_reserve_more_than_the_longest_row_first_and_less_than_rising_ones(
    changed: dict[str, Any],
) -> None:
    """Less where layers are computed again or attention is fused: eager scores that are kept grow with the square."""
    job = job_of(planned("meta-llama/Llama-3.2-1B", instance={"parallelism": "single"}, sections=TRAINER, **changed))
    blueprint = Blueprint(job, whole(job))
    orders = (700,), rising(700), *(records(given_lengths(300.0, 700), 700, 1, 500, seed) for seed in range(4))
    least, most, *drawn = (
        replay(blueprint, updates(order, accumulates=True), Circumstances(whole=False)) for order in orders
    )
    assert least < most
    assert all(0.99 * least <= one for one in drawn)
    if job.training.attention != "eager":
        assert max(drawn) < most
