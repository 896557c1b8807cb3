"""DeepSpeed's settings that decide memory: the author's JSON, with what transformers and DeepSpeed put in.

Defaults: DeepSpeed 0.19.8, `runtime/zero/config.py`. `auto`: transformers 5.23.0, `integrations/deepspeed.py`,
`trainer_config_finalize`. The shipped script hands over the stage and the precision only, and so takes the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hbspec.catalog.deepspeed import AUTO
from hbspec.catalog.dtypes import BYTES
from hbspec.diagnostics import Missing, NotKnownError

ROUTE = ("instance", "deepspeed")
DTYPES: Mapping[str, str] = {
    **dict.fromkeys(("fp32", "float32", "float", "torch.float32"), "float32"),
    **dict.fromkeys(("fp16", "float16", "half", "torch.float16"), "float16"),
    **dict.fromkeys(("bf16", "bfloat16", "torch.bfloat16"), "bfloat16"),
}
"""The names of dtypes (`runtime/config.py`, `DtypeEnum`)."""


GATHERED_ON_SAVE = ("stage3_gather_16bit_weights_on_model_save", "stage3_gather_fp16_weights_on_model_save")
"""Both names of the key that says whether a save gathers the model."""


class DeepSpeed(NamedTuple):
    """Settings of ZeRO; sizes are numbers of elements.

    Attributes:
        reduce_bucket: what a buffer holds in which gradients are reduced.
        overlap: whether reduction overlaps the backward pass, which takes a second buffer in stages 1 and 2.
        contiguous: whether gradients are copied into a buffer at all.
        prefetch_bucket: what is gathered ahead at a module (stage 3).
        max_live: what may be gathered before prefetching stops (stage 3).
        reuse_distance: parameters are kept that are used again before so many others (stage 3).
        persistence: parameters up to this size are never cut (stage 3).
        sub_group: what the optimizer updates at once (stage 3).
        accumulation: bytes of an element of accumulated gradients; None for those of the model.
        communication: likewise of gradients on their way.
        gathers_on_save: whether a save gathers the 16-bit model on the first rank (stage 3).
        optimizer: the optimizer that the JSON names, in lower case; None where transformers' own runs.
        offload: "none", "optimizer" or "all".
        pinned: whether offloaded states are page-locked.
        known: whether the JSON is; the shipped script's is, another script's only where the spec names it.
        uncounted: keys whose memory is not counted here.
    """

    reduce_bucket: int = 500_000_000
    overlap: bool = False
    contiguous: bool = True
    prefetch_bucket: int = 50_000_000
    max_live: int = 1_000_000_000
    reuse_distance: int = 1_000_000_000
    persistence: int = 100_000
    sub_group: int = 1_000_000_000
    accumulation: int | None = None
    communication: int | None = None
    gathers_on_save: bool = False
    optimizer: str | None = None
    offload: str = "none"
    pinned: bool = True
    known: bool = True
    uncounted: tuple[str, ...] = ()

    def require_counted(self) -> None:
        """Refuse settings whose memory is not counted.

        Raises:
            NotKnownError: there is such a setting; the message names it.
        """
        if self.uncounted:
            raise NotKnownError(Missing(f"the memory that {self.uncounted[0]} of the DeepSpeed JSON takes", ROUTE))


def deepspeed(values: Mapping[str, Any], stage: int, hidden: int | None) -> DeepSpeed:
    """The settings of a JSON whose keys and types are correct; an empty one leaves everything to DeepSpeed.

    Args:
        values: the JSON.
        stage: ZeRO's stage.
        hidden: the model's hidden size, from which `auto` follows; None where not known.
    """
    zero = _section(values, "zero_optimization")
    usual = DeepSpeed()
    square = hidden * hidden if hidden else None

    def elements(key: str, default: int, auto: int | None = None) -> int:
        value = zero.get(key, zero.get(f"stage3_{key}"))
        if value == AUTO and auto is not None:
            return auto
        return default if value in (None, AUTO) else int(float(value))

    sequential = _true(zero.get("allgather_sequential", zero.get("stage3_allgather_sequential")), usual=False)
    prefetch = elements("prefetch_bucket_size", usual.prefetch_bucket, square and int(0.9 * square))
    return DeepSpeed(
        reduce_bucket=elements("reduce_bucket_size", usual.reduce_bucket, square),
        overlap=_true(zero.get("overlap_comm"), usual=stage == 3),
        # runtime/zero/stage_1_and_2.py: offloading needs them
        contiguous=_true(zero.get("contiguous_gradients"), usual=True) or (stage < 3 and _offload(zero) != "none"),
        prefetch_bucket=min(1, prefetch) if sequential else prefetch,
        max_live=elements("max_live_parameters", usual.max_live),
        reuse_distance=elements("max_reuse_distance", usual.reuse_distance),
        persistence=elements("param_persistence_threshold", usual.persistence, hidden and 10 * hidden),
        sub_group=elements("sub_group_size", usual.sub_group),
        accumulation=_bytes(_section(values, "data_types").get("grad_accum_dtype")),
        communication=_bytes(values.get("communication_data_type")),
        gathers_on_save=any(_true(zero.get(key), usual=False) for key in GATHERED_ON_SAVE),
        optimizer=_optimizer(_section(values, "optimizer")),
        offload=_offload(zero),
        pinned=_true(_section(zero, "offload_optimizer").get("pin_memory"), usual=True),
        uncounted=tuple(_uncounted(values, zero, stage)),
    )


def extremes(settings: DeepSpeed, hidden: int) -> tuple[DeepSpeed, DeepSpeed]:
    """The settings that take the least and the most memory, where a script's own JSON is not known.

    JSON files in use leave sizes to transformers (`auto`), or have DeepSpeed's defaults with `overlap_comm`.
    """
    if settings.known:
        return settings, settings
    square = hidden * hidden
    least = settings._replace(reduce_bucket=square, prefetch_bucket=int(0.9 * square), persistence=10 * hidden)
    return least, settings._replace(overlap=True)


def accumulates_in(settings: DeepSpeed, model: int) -> int:
    """Bytes of an element of accumulated gradients, for a model of so many bytes an element."""
    return model if settings.accumulation is None else settings.accumulation


def _section(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = values.get(key)
    return found if isinstance(found, Mapping) else {}


def _true(value: Any, *, usual: bool) -> bool:
    if value in (None, AUTO):
        return usual
    return value.lower() in ("true", "yes", "on", "t", "y", "1") if isinstance(value, str) else bool(value)


def _bytes(dtype: Any) -> int | None:
    return BYTES[DTYPES[dtype]] if isinstance(dtype, str) and dtype in DTYPES else None


def _offload(zero: Mapping[str, Any]) -> str:
    states, weights = (_offloads(zero, key) for key in ("optimizer", "param"))
    return "all" if states and weights else "optimizer" if states else "none"


def _offloads(zero: Mapping[str, Any], what: str) -> bool:
    """Whether something is offloaded; `cpu_offload` and `cpu_offload_param` are the old names."""
    old = {"optimizer": "cpu_offload", "param": "cpu_offload_param"}[what]
    device = _section(zero, f"offload_{what}").get("device", "none")
    return device not in ("none", AUTO) or _true(zero.get(old), usual=False)


def _optimizer(section: Mapping[str, Any]) -> str | None:
    name = section.get("type")
    if not isinstance(name, str):
        return None
    torch = _true(_section(section, "params").get("torch_adam"), usual=False)
    return f"torch {name.lower()}" if torch else name.lower()


def _uncounted(values: Mapping[str, Any], zero: Mapping[str, Any], stage: int) -> list[str]:
    """Keys that change memory in a way that is not counted."""
    on = [
        f"zero_optimization.{key}"
        for key in ("zero_quantized_weights", "zero_quantized_nontrainable_weights", "zero_quantized_gradients")
        if _true(zero.get(key), usual=False)
    ]
    on += [f"zero_optimization.{key}" for key in ("zenflow", "leaf_module") if zero.get(key)]
    granularity = zero.get("module_granularity_threshold", zero.get("stage3_module_granularity_threshold"))
    on += ["zero_optimization.stage3_module_granularity_threshold"] if granularity not in (None, AUTO, 0) else []
    on += ["zero_optimization.zero_hpz_partition_size"] if zero.get("zero_hpz_partition_size", 1) not in (0, 1) else []
    states, weights = _section(zero, "offload_optimizer"), _section(zero, "offload_param")
    on += [f"zero_optimization.offload_{key}.device: nvme" for key, section in _nvme(states, weights)]
    on += ["zero_optimization.offload_optimizer.ratio"] if states.get("ratio", 1) not in (1, 1.0, AUTO) else []
    if _true(states.get("super_offload"), usual=False):
        on.append("zero_optimization.offload_optimizer.super_offload")
    if _offloads(zero, "param") and not _offloads(zero, "optimizer"):
        on.append("zero_optimization.offload_param without offload_optimizer")
    for section, keys in _MASTERS.items():
        on += [f"{section}.{key}" for key in keys if _true(_section(values, section).get(key), usual=False)]
    if stage == 1 and _bytes(_section(values, "data_types").get("grad_accum_dtype")) == BYTES["float32"]:
        on.append("data_types.grad_accum_dtype in stage 1")  # another optimizer runs then, `BF16_Optimizer`
    on += [key for key in ("tensor_parallel", "expert_parallel", "sequence_parallel_size") if values.get(key)]
    return on


_MASTERS: Mapping[str, tuple[str, ...]] = {
    "bf16": ("bf16_master_weights_and_grads", "bf16_optimizer_states"),
    "bfloat16": ("bf16_master_weights_and_grads", "bf16_optimizer_states"),
    "fp16": ("fp16_master_weights_and_grads",),
    "torch_autocast": ("enabled",),
    "compile": ("deepcompile",),
}
"""Switches by section: master weights in 16 bits, autocast of an fp32 module, and a compiled graph."""


def _nvme(states: Mapping[str, Any], weights: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    both = (("optimizer", states), ("param", weights))
    return [(key, section) for key, section in both if section.get("device") == "nvme"]
