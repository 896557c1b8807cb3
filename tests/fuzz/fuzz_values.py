"""Mutations of the values of a spec: each key to its bounds, its choices, and beyond both."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

from fuzz_files import spoilt_files
from fuzz_structure import ABSURD
from fuzz_trees import Place, holds, originals_as_json, yaml_text

from hbspec.catalog import catalog
from hbspec.claims.quantities import QUANTITIES
from hbspec.spec import Spec


@cache
def fields() -> dict[Place, tuple[Any, ...]]:
    """Every key of the language with values to try: bounds, choices, and quantities large, small and odd."""
    schema = Spec.model_json_schema()
    return {place: (*_named(place), *_typed(form)) for place, form in _leaves(schema, schema["$defs"], ())}


def _leaves(form: dict[str, Any], definitions: dict[str, Any], place: Place) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every place that holds a value, with its schema; the first entry stands for a list, USD for a map of sections."""
    for branch in form.get("anyOf", [form]):
        below = branch.get("additionalProperties")
        if "$ref" in branch:
            yield from _leaves(definitions[branch["$ref"].rpartition("/")[2]], definitions, place)
        elif "properties" in branch:
            for name, entry in branch["properties"].items():
                yield from _leaves(entry, definitions, (*place, name))
        elif branch.get("type") == "array":
            yield from _leaves(branch["items"], definitions, (*place, 0))
        elif isinstance(below, dict) and "$ref" in below:
            yield from _leaves(below, definitions, (*place, "USD"))
        elif branch.get("type") != "null":
            yield place, branch


NEEDED: dict[str, dict[str, Any]] = {
    "script": {"entry_point": "train.py", "source_dir": "./src"},
    "tokens": {"mean": 374, "max": 689},
    "budget": {"max_cost": "525 USD"},
    "USD": {"rate": 1.38, "date": "2025-09-22"},
    "metrics": {"name": "loss", "regex": "loss=([0-9.]+)"},
    "evaluation": {"suite": "accuracy", "min_score": 0.9},
    "deployment": {"instance": {"type": "ml.g5.12xlarge"}},
    "async_inference": {"output": "s3://bucket/answers/"},
    "ab_test": {"baseline": "today", "candidate_weight": 0.1},
    "vpc": {"subnets": ["subnet-0123456789abcdef0"], "security_groups": ["sg-0123456789abcdef0"]},
}
"""What a section that a mutation makes cannot do without, lest most mutations end at a missing key."""


def _named(place: Place) -> tuple[Any, ...]:
    """Values that only this key can mean something by."""
    facts = catalog()
    types = (*sorted(facts.instances), "ml.t3.medium", "ml.p9.huge", "ml..", "ml", "p4d.24xlarge")
    modules = ("q_proj", "v_proj", "o_proj", "gate_proj", "lm_head", "embed_tokens", "norm", "no_such")
    named: dict[str | int, tuple[Any, ...]] = {
        "type": types,
        "alternatives": types,
        "gpu": tuple(sorted(facts.gpus)),
        "region": (*facts.regions, "eu-mars-1", "us-gov-west-1", "cn-north-1"),
        "config": ("./config.json",) * 9 + ("./missing.json", ".", "./train.profile.json"),
        "profile": ("./train.profile.json",) * 9 + ("./config.json", "/dev/null"),
        "target_modules": ("all-linear", *modules),
        "modules_to_save": modules,
        "optim": (
            "adamw_torch",
            "adamw_8bit",
            "paged_adamw_8bit",
            "adafactor",
            "sgd",
            "lion_8bit",
            "galore_adamw",
            "x",
        ),
        "lr_scheduler_type": ("cosine", "linear", "constant", "no_such"),
        "source_dir": (".", "./src", "..", "/", "./config.json"),
        "entry_point": ("train.py", "../train.py", "no such.py", "-c"),
        "environment": ({"A": "b"}, {"1A": "b"}, {"HF_TOKEN": "hf_" + "a" * 34}),
        "tags": ({"k": "v"}, {"": ""}, {"aws:x": "y"}, {"k" * 200: "v" * 300}),
    }
    if place[0] == "software":
        return (
            "5.23.0",
            "4.56.2",
            "4",
            "x.y",
            "5.0.0rc1",
            "v5",
            " 5",
            "\u0665",
            "1e3",
            "99999999999999999999.0",
            ">=4,<5",
        )
    if place == ("model", "id"):
        return (*sorted(facts.models), "no/such-model")
    if place == ("script", "hyperparameters"):
        return (
            {"a": 1},
            {"b": "it's"},
            {"c": True, "d": 1e-9},
            {"e f": "x"},
            {"LORA_R": "1"},
            {"": ""},
            {"-x": "$(y)"},
        )
    return named.get(place[-1] if isinstance(place[-1], str) else place[-2], ())


def _typed(form: dict[str, Any]) -> tuple[Any, ...]:
    low = form.get("exclusiveMinimum", form.get("minimum", 0))
    high = form.get("maximum", form.get("exclusiveMaximum", 10**12))
    match form.get("type"), form.get("description"):
        case _ if "enum" in form or "const" in form:
            return tuple(form.get("enum", [form.get("const")]))
        case "integer", _:
            return (low, low + 1, 1, 2, 3, 7, 8, 16, 33, 64, 1000, 4096, 10**5, high - 1, high, high + 1)
        case "number", _:
            return (low, low + 1e-300, 1e-12, 1e-4, 0.1, 0.25, 0.5, 0.999999, 1, 3.5, 1e3, high)
        case "boolean", _:
            return (True, False)
        case _, "A size with its unit.":
            return (
                "1 B",
                "0.4 B",
                "1 kB",
                "0.7 MB",
                "35 GB",
                "80 GiB",
                "1e30 B",
                "1e18 GB",
                "999999 TiB",
                "-1 GB",
                "35",
            )
        case _, "A duration with its unit.":
            return (
                "1 ms",
                "1e-9 ms",
                "0.4s",
                "1s",
                "1h30m",
                "16h",
                "28d",
                "29d",
                "1e24 s",
                "1e30 s",
                "1e9 d",
                "0s",
                "5",
            )
        case _, "An amount with its currency.":
            return (
                "525 CAD",
                "1e-9 USD",
                "0.004 USD",
                "1e25 USD",
                "1e400 USD",
                "1 JPY",
                "525",
                "9" * 60 + " CAD",
                "0 CAD",
            )
        case _, "A price per hour.":
            return (
                "36 CAD/h",
                "1e-9 USD/h",
                "1e25 USD/h",
                "864 EUR/day",
                "1 JPY/month",
                "1e-400 USD/h",
                "36 CAD",
                "1e900 CAD/h",
            )
        case _, "A date.":
            return ("2025-09-22", "0001-01-01", "9999-12-31", "2026-11-22", "yesterday")
        case _, "A number of optimizer steps.":
            return ("300 steps", "0 steps", "999999999999 updates", "300")
        case "object", _:
            return ({},)
    return (
        "x",
        "a" * 64,
        "a" * 2048,
        "s3://bucket/key/",
        "it's",
        "\u00e9\U0001f3d2",
        "a b",
        "-x",
        "(x)",
        "loss=([0-9.]+)",
    )


CLAIMS = (
    "4.4",
    "0",
    "0.0",
    "-1",
    "..",
    "5..",
    "..5",
    "1e9..1e10",
    "10h..14h",
    "..35 GB",
    "65 GB",
    "1e30 GB",
    "1e31 GB",
    "525 CAD",
    "0 CAD",
    "0 USD",
    "1e-9 USD",
    "36 CAD/h",
    "0 USD/h",
    "25.25 USD/h",
    "1e300",
    "1e999",
    "1e-999",
    "0e0",
    "0.00e5 GB",
    "5 GB..1 GB",
    "1 day",
    "32.7B",
    "9,600",
    "~36",
    "x",
    "\u0664",
    "1_0",
    "2s..3s",
    "540 USD",
    "1 XYZ",
    "..1 XYZ",
    "1 CAD..2 USD",
    "1e40 CAD",
)


def mutated_values(draw: random.Random) -> tuple[bytes | dict[str, Any], dict[str, str]]:
    spec = json.loads(draw.choice(originals_as_json()))
    for _ in range(draw.choice((1, 2, 3, 5, 8))):
        place, values = draw.choice(list(fields().items()))
        _put(spec, place, copy.deepcopy(draw.choice(values if draw.random() < 0.97 else ABSURD)))
    for _ in range(draw.choice((0, 0, 1, 3))):
        spec.setdefault("expect", {})
        if isinstance(spec["expect"], dict):
            spec["expect"][_claim(draw)] = draw.choice(CLAIMS)
    return spec if draw.random() < 0.1 else yaml_text(spec), spoilt_files(draw)


def _claim(draw: random.Random) -> str:
    price = f"price.{draw.choice(_named(('instance', 'type')))}.{draw.choice(catalog().regions)}"
    return draw.choice((*QUANTITIES, price, "price.x.y", "no.such"))


def _put(spec: Any, place: Place, value: Any) -> None:
    """Sets a value, with sections made where they are missing; a place below something else is left alone."""
    name = ""
    for part, following in pairwise(place):
        name = part if isinstance(part, str) else name
        empty: Any = [] if isinstance(following, int) else copy.deepcopy(NEEDED.get(name, {}))
        if isinstance(spec, list) and not spec:
            spec.append(empty)
        elif isinstance(spec, dict) and spec.get(part) is None:
            spec[part] = empty
        elif not holds(spec):
            return
        spec = spec[part]
    if isinstance(spec, list):
        spec[:1] = [value]
    elif isinstance(spec, dict):
        spec[place[-1]] = value
