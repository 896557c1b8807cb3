"""Defaults of a framework, which are rows of the catalog's table, as values of the spec that is made of a file."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hbspec.catalog.frameworks import Default, framework_defaults
from hbspec.frontends.reading.building import Building

TRAINING = "hyperparameters"
OF_ADAPTERS = ("lora_r", "lora_alpha", "lora_dropout", "target_modules", "adapter_dtype")
OF_FOUR_BITS = ("bnb_quant_type", "bnb_double_quant", "bnb_4bit_quant_storage")
OF_RECOMPUTATION = ("use_reentrant",)
BESIDE_OTHERS = (
    *("bf16", "save_strategy", "save_steps", "eval_strategy", "per_device_eval_batch_size", "warmup_ratio"),
    *("packing", "packing_strategy", "logging_steps"),
    "weights_dtype",
)
"""Defaults that hold only beside what else is said, or not said. That of weights follows from method and parallelism:
where the plan takes a framework's defaults it is left open, and computed again when these are changed."""

ADDRESS = re.compile(r"https://(?:github\.com/[^/ ]+|pypi\.org/project)/(?P<rest>.+)")


def usual(building: Building, framework: str) -> Mapping[str, Default]:
    """The framework's defaults for the method and the parallelism of the file, by the key of a spec."""
    method, way = building.value((TRAINING, "method")), building.value(("instance", "parallelism"))
    found = framework_defaults(framework, method, way)
    return {key: Default(value, brief(source)) for key, (value, source) in found.items()}


def brief(source: str) -> str:
    """A source of the table without the address of its repository or index.

    >>> brief("https://github.com/huggingface/trl v1.16.0: trl/trainer/sft_config.py")
    'trl v1.16.0: trl/trainer/sft_config.py'
    >>> brief("https://pypi.org/project/axolotl/0.19.0/: its requirements")
    'axolotl/0.19.0: its requirements'
    """
    found = ADDRESS.fullmatch(source)
    return found["rest"].replace("/:", ":") if found else source


def put_usual(building: Building, framework: str, key: str) -> None:
    """One default, such as `hyperparameters.save_steps`, unless the file says another value."""
    section, name = key.split(".")
    value, source = usual(building, framework)[key]
    building.default((section, name), value, source)


def put_defaults(building: Building, framework: str) -> None:
    """Every default that holds for what the file trains: method, quantisation and recomputation are said before."""
    method = building.value((TRAINING, "method"))
    four_bits = method == "qlora" and building.value((TRAINING, "bnb_quant_type")) != "int8"
    without = set(BESIDE_OTHERS)
    without.update(OF_ADAPTERS if method == "full" else (), () if four_bits else OF_FOUR_BITS)
    for key in usual(building, framework):
        if key.rpartition(".")[2] not in without | set(OF_RECOMPUTATION):
            put_usual(building, framework, key)
    recomputes = building.value((TRAINING, "gradient_checkpointing"))
    for name in OF_RECOMPUTATION if recomputes else ():
        if f"{TRAINING}.{name}" in usual(building, framework):
            put_usual(building, framework, f"{TRAINING}.{name}")
