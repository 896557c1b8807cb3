"""Changes to a spec that reduce its memory, or use the memory that is left.

`hbspec.search.advice` and the help of some rules (`hbspec.rules.fitting`) plan the changed spec, and
`hbspec.search.space` combines what keeps the training the same.
Every change keeps the effective batch size, so that the training stays the requested one; any other effect on the
result is stated in its remark.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

from hbspec.analysis.change import Change, Settings
from hbspec.catalog import Catalog, InstanceType
from hbspec.plan import Plan
from hbspec.plan.parallelism import PARALLELISMS, REPLICATED, SHARDED, SPLIT
from hbspec.plan.rollouts import COLOCATED, GENERATE
from hbspec.spec import Spec

FOUR_BIT = ("nf4", "fp4")

LARGEST_FACTOR = 64
"""The largest factor tried on the micro-batch."""

OF_FSDP = ("sharding", "fsdp_version", "reshard_after_forward", "loads_whole")
"""Keys of `instance` that only FSDP reads."""

EIGHT_BIT_ADAMW = "adamw_bnb_8bit"
WITH_STATES_IN_FULL = ("adamw_torch", "adamw_torch_fused", "paged_adamw_32bit")

IN_FLOAT16 = "computes in float16 instead of bfloat16"
"""The remark of a change to what computes so; float16 overflows at 65,504."""


def smaller(spec: Spec, plan: Plan, catalog: Catalog) -> Iterator[Change]:
    """Changes that can reduce the memory needed on each GPU, in no particular order."""
    yield from elsewhere(spec, plan, catalog)
    yield from leaner(spec, plan)


def elsewhere(spec: Spec, plan: Plan, catalog: Catalog, *, priced: bool = True) -> Iterator[Change]:
    """Changes to other instance types, whose GPUs may have more memory or share the work; see `_other_instances`."""
    more = (*REPLICATED, *SPLIT, SHARDED[0]) if plan.way.uses_one_gpu else (SHARDED[0],)
    yield from _other_instances(spec, plan, catalog, *more, priced=priced)


def leaner(spec: Spec, plan: Plan) -> Iterator[Change]:
    """Changes that can reduce the memory needed on each GPU and keep the instance type."""
    yield from _smaller_micro_batches(plan)
    yield from _leaner_steps(plan)
    yield from _leaner_rollouts(spec, plan)
    yield from leaner_methods(plan)
    yield from _shared(spec, plan)
    yield from _offloaded(plan)
    yield from _more_instances(spec, plan)


def larger(spec: Spec, plan: Plan, catalog: Catalog) -> Iterator[Change]:
    """Changes that can use unused memory to save time or money, in no particular order."""
    training = plan.training
    factor = 2
    while training.gradient_accumulation % factor == 0 and factor <= LARGEST_FACTOR:
        yield _micro_batch(training.micro_batch * factor, training.gradient_accumulation // factor)
        factor *= 2
    if training.gradient_checkpointing:
        yield _set("checkpointing", "gradient_checkpointing", False)
    if training.quantization:
        yield in_16_bits(spec)
    if training.kernel == "eager":
        yield _set("attention", "attn_implementation", "sdpa")
    if plan.offload != "none":
        yield Change("offload", {("instance", "offload"): None})
    for parallelism in () if plan.way.replicates else REPLICATED:
        yield from _one_process_each(spec, plan, parallelism)
    yield from _other_instances(spec, plan, catalog, *(REPLICATED if plan.way.uses_one_gpu else ()))
    longest = ceil(plan.lengths.longest.high)
    positions = plan.architecture.max_position_embeddings if plan.architecture else longest
    if plan.lengths.known and training.max_length < longest <= positions:
        remark = f"no example is truncated at {training.max_length:,} tokens"
        if training.packing:
            remark += "; rows hold more examples, so that an update learns from more tokens"
        yield _set("length", "max_length", longest, remark)


def in_16_bits(spec: Spec) -> Change:
    """A change to adapters on weights that are not quantised."""
    settings: Settings = {("hyperparameters", "method"): "lora"}
    settings |= {("hyperparameters", key): None for key in _given(spec, "bnb_")}
    return Change("method", settings, "frozen weights stay in 16-bit")


def _smaller_micro_batches(plan: Plan) -> Iterator[Change]:
    """Divisors of the micro-batch by factors up to `LARGEST_FACTOR`, the largest first, and 1; smaller evaluations."""
    rows, accumulation = plan.training.micro_batch, plan.training.gradient_accumulation
    for factor in (*range(2, min(rows, LARGEST_FACTOR) + 1), *([rows] if rows > LARGEST_FACTOR else [])):
        if rows % factor == 0:
            yield _micro_batch(rows // factor, accumulation * factor)
    evaluated = plan.training.eval_batch or 0
    while evaluated > rows:
        evaluated = max(evaluated // 2, rows)
        yield _set("evaluation", "per_device_eval_batch_size", evaluated)


def _leaner_steps(plan: Plan) -> Iterator[Change]:
    """Changes that keep the training the same in less memory: recomputation, kernels, optimizer states, padding."""
    training = plan.training
    if not training.gradient_checkpointing:
        yield _set("checkpointing", "gradient_checkpointing", True)
    if training.whole_logits and not training.in_parts:
        yield _set("loss", "loss", "fused")
    if plan.fsdp and plan.fsdp.defers and not (plan.offload == "all" and plan.fsdp.version == 1):
        yield _set("reduction", "sync_each_batch", True, "gradients are reduced after every micro-batch")
    if plan.fsdp and not plan.fsdp.reshards:
        yield Change("gathering", {("instance", "reshard_after_forward"): None})
    if training.kernel == "eager":
        yield _set("attention", "attn_implementation", "sdpa")
    if training.kernel != "flash_attention_2" and plan.hardware and plan.hardware.gpu.flash_attention_2:
        yield _set("attention", "attn_implementation", "flash_attention_2")
    if training.optim == "adamw_torch":
        yield _set("optimizer", "optim", "adamw_torch_fused")
    if training.optim in WITH_STATES_IN_FULL:
        yield _set("optimizer", "optim", EIGHT_BIT_ADAMW, "optimizer states are rounded to 8 bits")
    longest = ceil(plan.lengths.longest.high)
    if training.packing and plan.lengths.known and longest < training.max_length:
        yield _set("length", "max_length", longest, "no example is truncated; a row holds fewer examples")


def _leaner_rollouts(spec: Spec, plan: Plan) -> Iterator[Change]:
    """Changes that generate fewer completions at once, or leave a colocated vLLM less of the GPU's memory."""
    rollouts = plan.training.rollouts
    if rollouts is None:
        return
    smaller = (rollouts.steps // factor for factor in (2, 4, 8) if rollouts.steps % factor == 0)
    for steps in smaller if rollouts.engine == GENERATE else ():
        settings: Settings = {("hyperparameters", "steps_per_generation"): steps}
        settings |= {("hyperparameters", key): None for key in _given(spec, "generation_batch_size")}
        yield Change("generation", settings, "fewer completions are generated at once")
    if rollouts.engine == COLOCATED and not rollouts.sleeps:
        yield _set("generation", "vllm_enable_sleep_mode", True, "vLLM gives its memory back while the model trains")


def leaner_methods(plan: Plan) -> Iterator[Change]:
    """Changes that train fewer parameters or store frozen ones in fewer bits; each remark names the effect."""
    training = plan.training
    adapters = "trains adapters instead of all weights, and needs a higher learning rate"
    quantised = "frozen weights are rounded to 4 bits"
    four_bit: Settings = {}
    if plan.way.shards_four_bits:  # only if they are stored in the dtype of the other weights
        four_bit["hyperparameters", "bnb_4bit_quant_storage"] = training.compute_dtype
    if training.method == "full":
        yield _set("method", "method", "lora", adapters)
        yield Change("method", {("hyperparameters", "method"): "qlora", **four_bit}, f"{adapters}; {quantised}")
    elif training.method == "lora":
        yield Change("method", {("hyperparameters", "method"): "qlora", **four_bit}, quantised)
    if training.quantization == "int8":
        nf4: Settings = {("hyperparameters", "bnb_quant_type"): "nf4", **four_bit}
        yield Change("quantisation", nf4, "frozen weights are rounded to 4 bits instead of 8")
    elif training.quantization and not training.double_quant:
        yield _set("quantisation", "bnb_double_quant", True, "scales are rounded to 8 bits")


def trains_otherwise(change: Change, plan: Plan) -> bool:
    """Whether a change trains adapters in a job that trains all weights, or computes in float16 instead of bfloat16."""
    less = plan.training.method == "full" and ("hyperparameters", "method") in change.settings
    return less or IN_FLOAT16 in change.remark


def _shared(spec: Spec, plan: Plan) -> Iterator[Change]:
    """Changes that divide the contents of one GPU among all GPUs of the job."""
    if plan.hardware is None or plan.hardware.gpus == 1:
        return
    for parallelism in SPLIT if plan.way.uses_one_gpu and plan.hardware.gpus_per_instance > 1 else ():
        yield Change("parallelism", {("instance", "parallelism"): parallelism}, "one GPU computes at a time")
    if plan.way.takes_strategy and plan.sharding != "full":
        yield Change("parallelism", {("instance", "sharding"): "full"})
    for parallelism in SHARDED:
        if parallelism != plan.parallelism:
            yield from _one_process_each(spec, plan, parallelism)


def _one_process_each(spec: Spec, plan: Plan, parallelism: str) -> Iterator[Change]:
    """A change to one process per GPU under `parallelism`, if there are several GPUs and they divide the batch."""
    gpus = plan.hardware.gpus if plan.hardware else 1
    accumulation = _accumulation(plan, _ranks(plan, parallelism, gpus))
    if gpus == 1 or accumulation is None:
        return
    yield Change("parallelism", {**parallelised(spec, plan, parallelism), **_accumulated(plan, accumulation)})


def parallelised(spec: Spec, plan: Plan, parallelism: str) -> Settings:
    """The settings that make a spec run under `parallelism`; empty if it already does."""
    if parallelism == spec.instance.parallelism:
        return {}
    settings: Settings = {("instance", "parallelism"): parallelism}
    way = PARALLELISMS[parallelism]
    if not way.takes_strategy:
        settings |= {("instance", key): None for key in OF_FSDP if getattr(spec.instance, key) is not None}
    if spec.instance.offload and not way.sharded:
        settings["instance", "offload"] = None
    storage = plan.training.compute_dtype
    if way.shards_four_bits and plan.training.quantization in FOUR_BIT and plan.training.quant_storage != storage:
        settings["hyperparameters", "bnb_4bit_quant_storage"] = storage
    return settings


def _offloaded(plan: Plan) -> Iterator[Change]:
    if not plan.way.sharded:
        return
    steps = ("none", "optimizer", "all") if plan.way.shards_weights else ("none", "optimizer")
    for offload in steps[steps.index(plan.offload) + 1 :]:
        moved = "optimizer states" if offload == "optimizer" else "optimizer states and weights"
        yield Change("offload", {("instance", "offload"): offload}, f"moves {moved} to host memory")


def _more_instances(spec: Spec, plan: Plan) -> Iterator[Change]:
    """A change to twice as many instances, where the instances shard the model."""
    accumulation = _accumulation(plan, 2 * (plan.data_parallel_size or 0))
    if plan.way.sharded and accumulation is not None:
        yield Change("instances", {("instance", "count"): 2 * spec.instance.count, **_accumulated(plan, accumulation)})


def _other_instances(spec: Spec, plan: Plan, catalog: Catalog, *more: str, priced: bool = True) -> Iterator[Change]:
    """Changes to other instance types: the author's alternatives, and all types offered in the region.

    Args:
        spec: the spec.
        plan: the spec's plan.
        catalog: the instance types and their prices.
        more: additional values of `parallelism` to try on a type with several GPUs.
        priced: whether only alternatives may lack a price there.
    """
    section = spec.instance
    if section.type is None:
        return
    for instance in _types(spec, catalog, priced=priced):
        gpus = instance.gpus * section.count
        for parallelism in dict.fromkeys((section.parallelism, *(more if gpus > 1 else ()))):
            accumulation = _accumulation(plan, _ranks(plan, parallelism, gpus))
            if accumulation is not None:
                settings: Settings = {("instance", "type"): instance.name}
                if section.price is not None:  # the price of the replaced type
                    settings["instance", "price"] = None
                settings |= parallelised(spec, plan, parallelism) | _accumulated(plan, accumulation)
                gpu = catalog.gpu_of(instance.name)
                rounded = plan.training.compute_dtype == "bfloat16" and gpu is not None and gpu.bf16 is False
                yield Change("instance", settings, IN_FLOAT16 if rounded else "")


def _types(spec: Spec, catalog: Catalog, *, priced: bool) -> Iterator[InstanceType]:
    """Other training instance types: the author's alternatives in order, then all others by name."""
    section = spec.instance
    for name in dict.fromkeys((*section.alternatives, *sorted(catalog.instances))):
        instance = catalog.instances.get(name)
        if instance is None or name == section.type or not instance.training or not instance.gpus:
            continue
        offered = section.region in (instance.regions or ())
        known = not priced or catalog.price(name, str(section.region), "training")
        if name in section.alternatives or (offered and known):
            yield instance


def _ranks(plan: Plan, parallelism: str, gpus: int) -> int:
    """The number of data-parallel ranks; 0 where `tensor_parallel` does not divide the GPUs."""
    if not PARALLELISMS[parallelism].distributed:
        return 1
    return 0 if gpus % plan.tensor_parallel else gpus // plan.tensor_parallel


def _accumulation(plan: Plan, ranks: int) -> int | None:
    """The gradient accumulation that keeps the effective batch size over `ranks`; None if no whole number does."""
    rows = plan.training.micro_batch * ranks
    if not rows or plan.effective_batch_size is None or plan.effective_batch_size % rows:
        return None
    return plan.effective_batch_size // rows


def _accumulated(plan: Plan, accumulation: int) -> Settings:
    same = accumulation == plan.training.gradient_accumulation
    return {} if same else {("hyperparameters", "gradient_accumulation_steps"): accumulation}


def _micro_batch(rows: int, accumulation: int) -> Change:
    settings: Settings = {
        ("hyperparameters", "per_device_batch_size"): rows,
        ("hyperparameters", "gradient_accumulation_steps"): accumulation,
    }
    return Change("micro-batch", settings)


def _set(kind: str, key: str, value: Any, remark: str = "") -> Change:
    return Change(kind, {("hyperparameters", key): value}, remark)


def _given(spec: Spec, prefix: str) -> list[str]:
    """The hyperparameters set by the author whose names begin with `prefix`."""
    given = spec.hyperparameters
    return sorted(key for key in given.model_fields_set if key.startswith(prefix) and getattr(given, key) is not None)
