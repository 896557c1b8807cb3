"""What is offloaded to the host, and the settings of DeepSpeed that decide it beside the spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.catalog import Architecture
from hbspec.plan.assumptions import Choices
from hbspec.plan.deepspeed import ROUTE, deepspeed
from hbspec.plan.parallelism import PARALLELISMS
from hbspec.spec import Spec


def sharded_by_deepspeed(
    spec: Spec, architecture: Architecture | None, written: Mapping[str, Any], choices: Choices
) -> dict[str, Any]:
    """DeepSpeed's settings, and what is offloaded: as the spec says, or else as the author's JSON does."""
    instance, stage = spec.instance, PARALLELISMS[spec.instance.parallelism].zero_stage
    settings = deepspeed(written, stage, architecture and architecture.hidden_size) if stage else None
    if settings is not None and not spec.shipped and instance.deepspeed is None:
        choices.note(ROUTE, "none", "not known; DeepSpeed's defaults")
        settings = settings._replace(known=False)
    offload = instance.offload or (settings.offload if settings is not None else "none")
    return {"deepspeed": settings, "offload": _offload(instance.parallelism, offload)}


def _offload(parallelism: str, wanted: str) -> str:
    """The effective `offload`: only FSDP and DeepSpeed offload, and weights only where they are sharded.

    Source: deepspeed.ai, "DeepSpeed Configuration JSON", Parameter offloading: "available only with ZeRO stage 3". The
    shipped script offloads nothing (HB124).
    """
    way = PARALLELISMS[parallelism]
    if not way.sharded:
        return "none"
    return wanted if way.shards_weights or wanted != "all" else "optimizer"
