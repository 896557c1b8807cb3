"""Mutations of valid specs: of their bytes, of their YAML structure, of their values. Same number, same case."""

from __future__ import annotations

import copy
import datetime
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from hbspec.catalog import catalog
from hbspec.claims.quantities import QUANTITIES
from hbspec.source import load
from hbspec.spec import Spec

ROOT = Path(__file__).parents[2]
SPECS = (*sorted((ROOT / "specs").glob("*.yaml")), ROOT / "tests/rules/base.yaml")
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Case:
    """One mutated spec: bytes as a file or standard input holds them, or a mapping; and the files that it may name."""

    kind: str
    number: int
    spec: bytes | dict[str, Any]
    files: dict[str, str]

    @property
    def text(self) -> str:
        return self.spec.decode(errors="backslashreplace") if isinstance(self.spec, bytes) else repr(self.spec)


def case(kind: str, number: int) -> Case:
    """The case of this kind and number, the same on every day and machine."""
    draw = random.Random(f"{kind} {number}")
    spec, files = KINDS[kind](draw)
    return Case(kind, number, spec, files)


@cache
def originals() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in SPECS)


@cache
def originals_as_json() -> tuple[str, ...]:
    """Their values as YAML 1.2 reads them (PyYAML's own resolver would make a text of 1e-4)."""
    return tuple(json.dumps(load(path).values) for path in SPECS)


def yaml_text(tree: Any, **style: Any) -> bytes:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(tree, Dumper=dumper, sort_keys=False, **style).encode()


# Bytes.

TOKENS = (
    b"\t",
    b"\0",
    b"\n",
    b"\r",
    b"\r\n",
    b" ",
    b"  ",
    b": ",
    b"- ",
    b"? ",
    b", ",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"'",
    b"#",
    b" #",
    b"&a ",
    b"*a",
    b"<<: ",
    b"!",
    b"!!python/object:os.system ",
    b"!!binary ",
    b"|",
    b">",
    b">= 5",
    b"%",
    b"@",
    b"`",
    b"---\n",
    b"...\n",
    b"~",
    b"null",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"\xc2\x85",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x8f\x92",
    b"1e999",
    b"-1",
    b"0x",
    b".nan",
    b".inf",
    b"9" * 300,
    b"\\x1b[31m",
    b"\x1b[2J",
    b"extends: ./spec.yaml\n",
    b"extends: [a]\n",
    b"# hbspec: allow HB101\n",
    b"\xff\xfe",
    b"\xe2\x80\xae",
)


def _bytes(draw: random.Random) -> tuple[bytes, dict[str, str]]:
    data = bytearray(draw.choice(originals()))
    for _ in range(draw.choice((1, 1, 1, 2, 3, 5, 9))):
        at, end = sorted(draw.randrange(len(data) + 1) for _ in range(2))
        end = min(end, at + draw.choice((1, 3, 10, 80, len(data))))
        match draw.randrange(9):
            case 0 if at < len(data):
                data[at] ^= 1 << draw.randrange(8)
            case 1:
                data[at:at] = draw.choice(TOKENS)
            case 2:
                del data[at:end]
            case 3:
                data[at:at] = data[at:end]
            case 4:
                data[at:end] = draw.randbytes(draw.randrange(8))
            case 5:
                other = draw.choice(originals())
                start = draw.randrange(len(other))
                data[at:end] = other[start : start + draw.randrange(200)]
            case 6:
                data[at:at] = draw.choice(TOKENS) * draw.choice((2, 50, 3000))
            case 7:
                lines = data.split(b"\n")
                one, two = draw.randrange(len(lines)), draw.randrange(len(lines))
                lines[one], lines[two] = lines[two], lines[one]
                data = bytearray(b"\n".join(lines))
            case _:
                del data[at:]
    return bytes(data), {}


# Structure.

ABSURD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    7,
    2**31,
    2**63,
    2**64,
    10**18,
    10**30,
    -(10**30),
    10**200,
    10**400,
    0.0,
    -0.0,
    0.5,
    1.5,
    -1.0,
    1e-300,
    5e-324,
    1e300,
    1.7976931348623157e308,
    float("nan"),
    float("inf"),
    float("-inf"),
    "",
    " ",
    "0",
    "-1",
    "1e-4",
    "1_000",
    "0x1F",
    "1:30",
    "yes",
    "~",
    "null",
    ">= 5",
    "..",
    "5..",
    "..5",
    "5..1",
    "1e400",
    "9" * 400,
    "9" * 5000,
    "nan GB",
    "1e300 GB",
    "1e-300 GB",
    "-1 GB",
    "0 GB",
    "1 XB",
    "GB",
    "16h",
    "1e30h",
    "0s",
    "1h30m",
    "525 CAD",
    "1e50 CAD",
    "0 CAD",
    "36 CAD/h",
    "1e-40 CAD/h",
    "36 CAD/",
    "/h",
    "300 steps",
    "0 steps",
    "2025-09-22",
    "0001-01-01",
    "9999-12-31",
    "2025-02-30",
    "\u0663 GB",
    "\u00b2",
    "\U0001f3d2" * 3,
    "\u202eabc",
    "a\nb",
    "a" * 5000,
    "\u00e9" * 70,
    "s3://",
    "s3://b/k",
    "arn:aws:iam::1:role/x",
    "../../etc/passwd",
    "/dev/zero",
    "/proc/self/environ",
    "./spec.yaml",
    "$(rm -rf .)",
    "'",
    '"',
    "{{x}}",
    "%s%n",
    "hf_" + "a" * 34,
    "AKIA" + "A" * 16,
    "(a+)+$",
    "(",
    [],
    {},
    [[]],
    [None],
    {"a": 1},
    {"": ""},
    {"a": {"b": []}},
    ["x"] * 40,
    datetime.date(2025, 9, 22),
)
KEYS = (
    "",
    " ",
    "id",
    "max",
    "min",
    "type",
    "gpu",
    "extends",
    "rate",
    "__class__",
    "a.b",
    "a[0]",
    "\u00e9",
    "x" * 3000,
    "<<",
    "expect",
    "tokens",
)
MAPPING_ONLY: tuple[Any, ...] = (b"bytes", (1, 2), {1, 2}, object, "\ud800", "a\0b", 1j, {1: 2}, {None: 1}, {(1,): 2})


def _structure(draw: random.Random) -> tuple[bytes | dict[str, Any], dict[str, str]]:
    tree = json.loads(draw.choice(originals_as_json()))
    as_mapping = draw.random() < 0.15
    for _ in range(draw.choice((1, 1, 2, 3, 6))):
        places = list(_places(tree))
        if not places:
            break
        place = draw.choice(places)
        parent, last = _at(tree, place[:-1]), place[-1]
        match draw.randrange(8):
            case 0:
                del parent[last]
            case 1:
                _insert(draw, parent, copy.deepcopy(parent[last]))
            case 2:
                value = parent.pop(last)
                containers = [
                    tree,
                    *filter(_holds, (_at(tree, place) for place in _places(tree))),
                ]
                _insert(draw, draw.choice(containers), value)
            case 3:
                parent[last] = copy.deepcopy(_at(tree, draw.choice(places)))
            case 4:
                parent[last] = _swapped(draw, parent[last])
            case 5:
                parent[last] = _nested(draw, parent[last])
            case 6 if as_mapping:
                parent[last] = draw.choice(MAPPING_ONLY)
            case _:
                parent[last] = copy.deepcopy(draw.choice(ABSURD))
    if as_mapping:
        return tree, {}
    return yaml_text(tree, allow_unicode=draw.random() < 0.5, default_flow_style=draw.choice((None, True, False))), {}


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        if len(place) < 12:
            yield (*place, key)
            yield from _places(child, (*place, key))


def _at(tree: Any, place: Place) -> Any:
    for part in place:
        tree = tree[part]
    return tree


def _holds(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _insert(draw: random.Random, container: Any, value: Any) -> None:
    if isinstance(container, list):
        container.insert(draw.randrange(len(container) + 1), value)
    else:
        container[draw.choice((*KEYS, *container))] = value


def _swapped(draw: random.Random, value: Any) -> Any:
    swaps: tuple[Callable[[], Any], ...] = (
        lambda: [value],
        lambda: {"a": value},
        lambda: str(value),
        lambda: [*value] if isinstance(value, (dict, str)) else value,
        lambda: dict.fromkeys(map(str, value)) if isinstance(value, list) else {str(value): value},
        lambda: -value if isinstance(value, (int, float)) else value,
        lambda: value * draw.choice((10**6, 10**25)) if type(value) is int else value,
        lambda: f"{value}{draw.choice(('x', ' GB', ' h', ' CAD', '/h', '..', 'e9', '%'))}",
        lambda: not value,
        lambda: float(value) if type(value) is int else [value, value],
    )
    return draw.choice(swaps)()


def _nested(draw: random.Random, value: Any) -> Any:
    for level in range(draw.choice((1, 3, 30, 98, 101, 150))):
        value = [value] if (level + draw.randrange(2)) % 2 else {draw.choice(KEYS[2:9]): value}
    return value


# Values.


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


def _values(draw: random.Random) -> tuple[bytes | dict[str, Any], dict[str, str]]:
    spec = json.loads(draw.choice(originals_as_json()))
    for _ in range(draw.choice((1, 2, 3, 5, 8))):
        place, values = draw.choice(list(fields().items()))
        _put(spec, place, copy.deepcopy(draw.choice(values if draw.random() < 0.97 else ABSURD)))
    for _ in range(draw.choice((0, 0, 1, 3))):
        spec.setdefault("expect", {})
        if isinstance(spec["expect"], dict):
            spec["expect"][_claim(draw)] = draw.choice(CLAIMS)
    return spec if draw.random() < 0.1 else yaml_text(spec), _files(draw)


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
        elif not _holds(spec):
            return
        spec = spec[part]
    if isinstance(spec, list):
        spec[:1] = [value]
    elif isinstance(spec, dict):
        spec[place[-1]] = value


PROFILE = {
    "format_version": 1,
    "examples": 1758,
    "exact_duplicates": 5,
    "broken_lines": 0,
    "tokens": {
        "mean": 385.3,
        "max": 684.4,
        "bounds": {"mean": [329.1, 457.5], "max": [586.2, 806.4]},
        "method": "estimated",
    },
    "digest": "blake2b-sum:e621e53b",
}
CONFIGS: tuple[dict[str, Any], ...] = (
    {
        "model_type": "qwen2",
        "hidden_size": 5120,
        "intermediate_size": 27648,
        "num_hidden_layers": 64,
        "num_attention_heads": 40,
        "num_key_value_heads": 8,
        "vocab_size": 152064,
        "tie_word_embeddings": False,
        "max_position_embeddings": 131072,
    },
    {
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "head_dim": 128,
        "tie_word_embeddings": True,
        "max_position_embeddings": 8192,
    },
    {
        "model_type": "mixtral",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 32000,
        "num_local_experts": 8,
        "num_experts_per_tok": 2,
        "max_position_embeddings": 32768,
    },
    {
        "model_type": "gemma2",
        "hidden_size": 3584,
        "intermediate_size": 14336,
        "num_hidden_layers": 42,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 256,
        "vocab_size": 256000,
        "sliding_window": 4096,
        "max_position_embeddings": 8192,
    },
    {
        "model_type": "llama4",
        "text_config": {
            "model_type": "llama4_text",
            "hidden_size": 5120,
            "intermediate_size": 8192,
            "intermediate_size_mlp": 16384,
            "num_hidden_layers": 48,
            "num_attention_heads": 40,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "vocab_size": 202048,
            "num_local_experts": 16,
            "num_experts_per_tok": 1,
            "max_position_embeddings": 10485760,
        },
    },
)
ODD: tuple[Any, ...] = (None, 0, 1, 2, 3, -1, 10**6, 10**9, 10**30, 0.5, 1e300, "x", "", True, [], {}, [1], {"a": 1})


def _files(draw: random.Random) -> dict[str, str]:
    """The two files that specs name here, each spoilt now and then."""
    found = {}
    for name, content in (("config.json", draw.choice(CONFIGS)), ("train.profile.json", PROFILE)):
        spoilt: Any = copy.deepcopy(content)
        for _ in range(draw.choice((0, 0, 1, 2))):
            place = draw.choice(list(_places(spoilt)))
            parent = _at(spoilt, place[:-1])
            if draw.random() < 0.2 and isinstance(parent, dict):
                del parent[place[-1]]
                if not spoilt:
                    break
            else:
                parent[place[-1]] = copy.deepcopy(draw.choice(ODD))
        found[name] = json.dumps(spoilt)
    return found


KINDS: dict[str, Callable[[random.Random], tuple[bytes | dict[str, Any], dict[str, str]]]] = {
    "bytes": _bytes,
    "structure": _structure,
    "values": _values,
}
