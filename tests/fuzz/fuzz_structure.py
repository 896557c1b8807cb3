"""Mutations of the YAML structure of a spec."""

from __future__ import annotations

import copy
import datetime
import json
import random
from collections.abc import Callable
from typing import Any

from fuzz_trees import at, holds, originals_as_json, places, yaml_text

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


def mutated_structure(draw: random.Random) -> tuple[bytes | dict[str, Any], dict[str, str]]:
    tree = json.loads(draw.choice(originals_as_json()))
    as_mapping = draw.random() < 0.15
    for _ in range(draw.choice((1, 1, 2, 3, 6))):
        everywhere = list(places(tree))
        if not everywhere:
            break
        place = draw.choice(everywhere)
        parent, last = at(tree, place[:-1]), place[-1]
        match draw.randrange(8):
            case 0:
                del parent[last]
            case 1:
                _insert(draw, parent, copy.deepcopy(parent[last]))
            case 2:
                value = parent.pop(last)
                containers = [
                    tree,
                    *filter(holds, (at(tree, place) for place in places(tree))),
                ]
                _insert(draw, draw.choice(containers), value)
            case 3:
                parent[last] = copy.deepcopy(at(tree, draw.choice(everywhere)))
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
