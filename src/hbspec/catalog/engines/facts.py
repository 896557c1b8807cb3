"""What serving engines accept: files that `tools/generate_engine_facts.py` reads out of their source."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from hbspec.catalog.rows import DATA

NEWEST = "0.30.0"
"""The release of vLLM in AWS's newest image of it, of which every fact is read that has no release of its own."""

LAST_WITH_BITSANDBYTES = "0.27.1"
"""The last release that quantises with bitsandbytes without a plugin."""


@cache
def facts(name: str) -> Mapping[str, Any]:
    """A file of facts: `vllm-0.30.0`, `lmi` or `sagemaker-vllm`, with its repository, commit and digests."""
    found: Mapping[str, Any] = json.loads((DATA / "engines" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def with_bitsandbytes(version: str) -> bool:
    """Whether a release of vLLM knows bitsandbytes by itself; later ones need `vllm-bnb-plugin`.

    https://github.com/vllm-project/vllm/pull/43529
    """
    return "bitsandbytes" in arguments(judged_by(version))["quantization"]["open"]


def judged_by(version: str) -> str:
    """The release with a file of facts by which another one is judged: of the same side of 0.28, nothing nearer."""
    release = tuple(int(part) for part in version.split(".")[:2])
    return NEWEST if release >= (0, 28) else LAST_WITH_BITSANDBYTES


def arguments(version: str) -> Mapping[str, Any]:
    """The arguments of a release of vLLM by their names on the command line, without dashes before them.

    Raises:
        FileNotFoundError: a release without a file of facts.
    """
    found: Mapping[str, Any] = facts(f"vllm-{version}")["arguments"]
    return found


@cache
def lora_ranks() -> tuple[int, ...]:
    """The values that vLLM takes for `--max-lora-rank`, in ascending order."""
    return tuple(sorted(arguments(NEWEST)["max-lora-rank"]["choices"]))


def refused_adapters() -> tuple[str, ...]:
    """Fields of an adapter's configuration that vLLM refuses when set, by PEFT's names."""
    return tuple(facts(f"vllm-{NEWEST}")["refused_adapters"])
