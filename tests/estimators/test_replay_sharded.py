"""The replay of jobs whose ranks share the weights: as torch does it, as published, and what always holds."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

import pytest
from planned import FULL, LORA, QLORA, planned

from hbspec.catalog import Architecture
from hbspec.estimators.step.allocator import COMPUTING
from hbspec.estimators.step.blueprint import Blueprint
from hbspec.estimators.step.fsdp1 import FlatUnits
from hbspec.estimators.step.fsdp2 import ParameterUnits
from hbspec.estimators.step.job import Job, job_of
from hbspec.estimators.step.lifetimes.stream import NOWHERE
from hbspec.estimators.step.microbatch import given_bytes, micro_batch
from hbspec.estimators.step.moments import peak_moment
from hbspec.estimators.step.placement import Stage
from hbspec.estimators.step.process import Circumstances
from hbspec.estimators.step.replay import replay
from hbspec.estimators.step.sharded import GATHERING, REDUCING, Sharding, units_of
from hbspec.estimators.step.slots import Slots
from hbspec.estimators.training.memory import memory

torch = pytest.importorskip("torch")

LLAMA = {"model_type": "llama", "hidden_act": "silu", "tie_word_embeddings": False}
TINY = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4, "vocab_size": 512}
TINY |= {"num_attention_heads": 4, "num_key_value_heads": 2}
SEVEN = {**LLAMA, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "vocab_size": 32000}
SEVEN |= {"num_attention_heads": 32, "num_key_value_heads": 32}
"""Llama 2 7B."""

PURE = {"transformers": "4.45.2", "weights_dtype": "bfloat16", "adapter_dtype": "bfloat16", "autocast": False}
ALL_BUT_OUTPUT = ["k_proj", "q_proj", "v_proj", "up_proj", "down_proj", "gate_proj"]

PUBLISHED = [(512, 1, 10_995_116_278), (2048, 1, 10_973_641_441), (2048, 4, 17_330_193_039)]
"""Tokens of a row, rows, and bytes reserved on each of two RTX 3090 by LoRA of rank 64 on Llama 2 7B in bfloat16 under
FSDP1 (AnswerDotAI/fsdp_qlora, benchmarks 03/2024: 10.24, 10.22 and 16.14 GiB)."""


def whole(job: Job) -> Stage:
    return Stage(0, job.architecture.num_hidden_layers, embedding=True, head=True)


def sharded(model: str = "meta-llama/Llama-3.2-1B", *, version: int = 1, **changed: Any) -> Job:
    values = {"tokens": (512.0, 512), "gradient_accumulation_steps": 1, **changed}
    values["instance"] = {"parallelism": "fsdp", "fsdp_version": version, **changed.get("instance", {})}
    return job_of(planned(model, **values))


@pytest.mark.parametrize(("tokens", "rows", "reserved"), PUBLISHED)
def test_what_fsdp1_reserved_is_near_what_is_replayed(tokens: int, rows: int, reserved: int) -> None:
    plan = planned(
        architecture=Architecture.from_config(SEVEN),
        instance={"type": None, "region": None, "gpu": "RTX 3090", "gpus": 2, "parallelism": "fsdp"},
        tokens=(float(tokens), tokens),
        method={**LORA, "lora_r": 64, "lora_dropout": 0.1, "target_modules": ALL_BUT_OUTPUT},
        sections={"script": {"entry_point": "train.py"}, "software": {"trainer": "transformers", **PURE}},
        per_device_batch_size=rows,
        gradient_accumulation_steps=1,
        max_length=tokens,
        gradient_checkpointing=True,
        use_reentrant=False,
        optim="adamw_torch",
    )
    job = job_of(plan)
    found = replay(Blueprint(job, whole(job)), ((tokens,), (tokens,)), Circumstances())
    assert found == pytest.approx(reserved, rel=0.04)
    interval = memory(plan).fullest.peak_reserved
    assert interval.low < reserved < interval.high < 1.15 * reserved


NAMES = {GATHERING: "gather", COMPUTING: "take", REDUCING: "reduce"}


class Told(Slots):
    """Slots that tell in words what is done on which stream, with bytes that are not rounded."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, int]] = []
        self.exact: dict[int, int] = {}

    def taken(self, requests: Iterable[int], stream: int = COMPUTING) -> list[int]:
        found = self.untold(requests, stream)
        self.exact |= dict(zip(found, requests, strict=True))
        self.told += [(NAMES[stream], request) for request in requests]
        return found

    def untold(self, requests: Iterable[int], stream: int = COMPUTING) -> list[int]:
        return [self.come(request, stream) for request in requests]

    def gone(self, slot: int) -> None:
        if slot in self.alive and slot in self.exact:
            self.told.append(("free", self.exact[slot]))
        super().gone(slot)


def tiny(version: int) -> Job:
    return sharded(
        architecture=Architecture.from_config({**LLAMA, **TINY}),
        version=version,
        method=FULL,
        instance={"fsdp_version": version, "type": None, "region": None, "gpu": "RTX 3090", "gpus": 2},
        sections={"script": {"entry_point": "train.py"}, "software": {"trainer": "transformers", **PURE}},
        gradient_checkpointing=False,
    )


def around(sharding: Sharding, layers: int, gradients: Callable[[int], list[int]]) -> None:
    """What a sharding does in a forward and backward pass over all layers."""
    sharding.begin()
    for layer in range(layers):
        sharding.forward(layer)
        sharding.forwarded(layer)
    for layer in reversed(range(layers)):
        sharding.backward(layer)
        sharding.backwarded(layer, gradients(layer))
    sharding.backwarded(NOWHERE, gradients(NOWHERE))
    sharding.end()


@pytest.fixture
def two_ranks() -> Iterator[None]:
    """The first of two ranks, whose other one is imagined."""
    from torch.testing._internal.distributed.fake_pg import FakeStore

    torch.distributed.init_process_group("fake", store=FakeStore(), rank=0, world_size=2)
    yield
    torch.distributed.destroy_process_group()


def tiny_model() -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**TINY, tie_word_embeddings=False)).bfloat16()


def trained_once(model: Any) -> None:
    ids = torch.randint(0, TINY["vocab_size"], (1, 16))
    model(input_ids=ids, labels=ids).loss.backward()


@pytest.mark.usefixtures("two_ranks")
def test_fsdp2_gathers_copies_frees_and_reduces_in_torchs_order(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.fsdp._fully_shard import _fsdp_collectives as collectives
    from torch.distributed.fsdp._fully_shard._fsdp_param import FSDPParam

    model, told = tiny_model(), list[tuple[str, int]]()
    mesh = torch.distributed.device_mesh.init_device_mesh("cpu", (2,))
    for module in (*model.model.layers, model):
        fully_shard(module, mesh=mesh)

    def watched(owner: Any, method: str, size: Callable[..., tuple[str, int]]) -> None:
        real = getattr(owner, method)

        def telling(self: Any, *given: Any, **named: Any) -> Any:
            told.append(size(self, *given, **named))
            return real(self, *given, **named)

        monkeypatch.setattr(owner, method, telling)

    def outputs(name: str, parameter: Any) -> tuple[str, int]:
        return name, sum(one.numel() * one.element_size() for one in parameter.all_gather_outputs)

    def flat(name: str, _: Any, size: Any, *, dtype: Any, device: Any) -> tuple[str, int]:
        return name, size[0] * dtype.itemsize

    watched(FSDPParam, "alloc_all_gather_outputs", functools.partial(outputs, "take"))
    watched(FSDPParam, "free_unsharded_param", functools.partial(outputs, "free"))
    watched(collectives.DefaultAllGather, "allocate", functools.partial(flat, "gather"))
    watched(collectives.DefaultReduceScatter, "allocate", functools.partial(flat, "reduce"))
    trained_once(model)

    slots, job = Told(), tiny(2)
    units = {unit.layer: unit for unit in units_of(job, whole(job))}
    around(ParameterUnits(slots, job, [*units.values()]), 4, lambda layer: slots.untold(units[layer].gathered))
    flats = {sum(unit.gathered) for unit in units.values()}
    expected = [
        ("reduce", size) if name == "take" and size in flats else (name, size)
        for name, size in slots.told
        if name != "free" or size not in flats  # torch tells nobody when a flat buffer goes
    ]
    assert runs(told) == runs(expected)


def runs(told: Iterable[tuple[str, int]]) -> list[tuple[str, list[int]]]:
    """Entries of one kind that follow each other as one, whatever their order."""
    return [(name, sorted(size for _, size in entries)) for name, entries in groupby(told, key=itemgetter(0))]


@pytest.mark.usefixtures("two_ranks")
def test_fsdp1_gathers_and_reduces_in_torchs_order(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch.distributed.fsdp import FullyShardedDataParallel, _flat_param, _runtime_utils
    from torch.distributed.fsdp.wrap import ModuleWrapPolicy

    model, told = tiny_model(), list[tuple[str, int]]()
    policy, cpu = ModuleWrapPolicy({type(model.model.layers[0])}), torch.device("cpu")
    model = FullyShardedDataParallel(model, auto_wrap_policy=policy, device_id=cpu, use_orig_params=True)
    allocate, reduce = _flat_param._alloc_storage, _runtime_utils._get_reduce_scatter_tensors

    def allocating(tensor: Any, size: Any) -> None:
        told.append(("gather", size.numel() * tensor.element_size()))
        allocate(tensor, size)

    def reducing(state: Any, gradient: Any) -> Any:
        told.append(("take", gradient.numel() * gradient.element_size()))
        found = reduce(state, gradient)
        told.append(("reduce", found[1].numel() * found[1].element_size()))
        return found

    monkeypatch.setattr(_flat_param, "_alloc_storage", allocating)
    monkeypatch.setattr(_runtime_utils, "_get_reduce_scatter_tensors", reducing)
    trained_once(model)
    slots, job = Told(), tiny(1)
    units = {unit.layer: unit for unit in units_of(job, whole(job))}
    around(FlatUnits(slots, job, [*units.values()]), 4, lambda layer: slots.untold(units[layer].gathered))
    assert [entry for entry in slots.told if entry[0] != "free"] == told


PROGRAMS: list[dict[str, Any]] = [
    {"method": LORA},
    {"method": FULL, "gradient_checkpointing": False},
    {"method": FULL, "instance": {"reshard_after_forward": False}},
    {"method": FULL, "instance": {"offload": "all"}},
    {"method": QLORA, "sections": {"script": {"entry_point": "train.py"}, "software": {"transformers": "4.48.0"}}},
]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("changed", PROGRAMS, ids=lambda changed: "-".join(map(str, changed)))
def test_a_reserve_holds_the_tensors_whatever_is_shared(changed: dict[str, Any], version: int) -> None:
    job = sharded(version=version, **changed)
    tensors = peak_moment(job, whole(job), 512).total
    blueprint = Blueprint(job, whole(job))
    reserved = [replay(blueprint, ((512,), (512,)), Circumstances()) for _ in range(2)]
    assert reserved[0] == reserved[1] > 0.99 * tensors


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("method", [LORA, FULL], ids=["lora", "full"])
def test_more_ranks_reserve_no_more(method: dict[str, Any], version: int) -> None:
    found = []
    for instance in ("ml.g5.12xlarge", "ml.g5.48xlarge"):
        job = sharded(version=version, method=method, instance={"type": instance, "fsdp_version": version})
        found.append(replay(Blueprint(job, whole(job)), ((512,), (512,)), Circumstances()))
    assert found[1] < found[0]


@pytest.mark.parametrize("version", [1, 2])
def test_middle_layers_are_told_by_what_they_leave(version: int) -> None:
    job = sharded("meta-llama/Llama-3.1-8B", version=version, method=FULL)
    every, few = (
        replay(Blueprint(job, whole(job)), ((512,), (512,)), Circumstances(whole=one)) for one in (True, False)
    )
    assert few == pytest.approx(every, rel=0.02)


@pytest.mark.parametrize("version", [1, 2])
def test_every_unit_is_freed_and_only_reduced_gradients_stay(version: int) -> None:
    job = sharded(version=version, method=FULL)
    given = [size for sizes in given_bytes(job, whole(job), 512) for size in sizes]
    found = micro_batch(job, whole(job), 512, whole=True).at(512, 512, given)
    alive: dict[int, tuple[int, int]] = {}
    for slot, number, stream in (action for part in found.parts for action in part):
        if number:
            alive[slot] = found.sizes[number], stream
        else:
            del alive[slot]
    assert {*alive} == {*found.kept}
    assert {stream for _, stream in alive.values()} == {REDUCING}
