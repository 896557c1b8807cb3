"""What other training frameworks take by themselves, by the keys of a spec: `data/frameworks.csv`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from hbspec.catalog.rows import rows


class Default(NamedTuple):
    """A framework's default: the value of the spec's key, and where the framework says it."""

    value: Any
    source: str


@cache
def framework_defaults(
    framework: str, method: str | None = None, parallelism: str | None = None
) -> Mapping[str, Default]:
    """The defaults of a framework, by the key of a spec (`hyperparameters.max_length`); empty for one without rows.

    A value that is the last name of another key (`per_device_batch_size`) means that key's value.

    Args:
        framework: `axolotl`, `llamafactory`, `torchtune`, `trl` or `unsloth`.
        method: "qlora", "lora" or "full"; None leaves out the defaults that depend on it.
        parallelism: `instance.parallelism`; a default for one of them takes the place of the usual one.

    >>> framework_defaults("axolotl")["hyperparameters.max_length"].value
    512
    >>> framework_defaults("llamafactory", "full")["software.weights_dtype"].value
    'float32'
    >>> framework_defaults("llamafactory", "full", "zero3")["software.weights_dtype"].value
    'bfloat16'
    """
    ways = ("", parallelism)
    return {
        row["key"]: Default(json.loads(row["value"]), row["source"])
        for row in rows("frameworks.csv")
        if row["framework"] == framework and row["method"] in ("", method) and row["parallelism"] in ways
    }
