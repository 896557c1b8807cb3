"""Settings of torch's caching allocator, as `PYTORCH_CUDA_ALLOC_CONF` says them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hbspec.spec import Spec

VARIABLE = "PYTORCH_CUDA_ALLOC_CONF"

EXPANDABLE = "expandable_segments"


FLAGS: Mapping[str, bool] = {"True": True, "False": False}
"""How torch 2.13 spells a boolean there; anything else ends the process."""

OPTIONS = (
    *(EXPANDABLE, "backend", "garbage_collection_threshold", "graph_capture_record_stream_reuse"),
    *("large_segment_size_mb", "max_non_split_rounding_mb", "max_split_size_mb", "per_process_memory_fraction"),
    *("pinned_free_catch_all", "pinned_max_cached_size_mb", "pinned_max_round_threshold_mb"),
    *("pinned_num_register_threads", "pinned_reserve_segment_size_mb", "pinned_use_background_threads"),
    *("pinned_use_cuda_host_register", "release_lock_on_cudamalloc", "roundup_power2_divisions"),
    "throw_on_cudamalloc_oom",
)
"""The options of torch 2.13 (`c10/core/AllocatorConfig.h`, `c10/cuda/CUDAAllocatorConfig.h`; docs.pytorch.org, "CUDA
semantics", memory management)."""


class AllocatorSettings(NamedTuple):
    """What the allocator is told.

    Attributes:
        expandable: whether segments are expandable.
        others: options that hbspec does not replay, by name.
    """

    expandable: bool
    others: tuple[str, ...]


def allocator_settings(spec: Spec) -> AllocatorSettings:
    """The settings of a spec: `software.allocator`, or the variable of the job's environment."""
    given = options(spec.software.allocator or in_environment(spec) or "")
    return AllocatorSettings(
        expandable=FLAGS.get(given.get(EXPANDABLE, ""), False),
        others=tuple(name for name in given if name != EXPANDABLE),
    )


def in_environment(spec: Spec) -> str | None:
    """The variable of the job's environment."""
    return spec.sagemaker.environment.get(VARIABLE) if spec.sagemaker else None


def options(text: str) -> Mapping[str, str]:
    """Options by name; one without a value has "".

    >>> dict(options("expandable_segments:True, max_split_size_mb:128"))
    {'expandable_segments': 'True', 'max_split_size_mb': '128'}
    """
    pairs = (part.partition(":") for part in text.split(",") if part.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}
