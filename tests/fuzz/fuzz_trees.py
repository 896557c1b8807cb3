"""The valid specs, as bytes and as values, and the places inside values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hbspec.source import load

ROOT = Path(__file__).parents[2]
SPECS = (*sorted((ROOT / "specs").glob("heartbeat*.yaml")), ROOT / "tests/rules/base.yaml")
Place = tuple[str | int, ...]


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


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        if len(place) < 12:
            yield (*place, key)
            yield from places(child, (*place, key))


def at(tree: Any, place: Place) -> Any:
    for part in place:
        tree = tree[part]
    return tree


def holds(value: Any) -> bool:
    return isinstance(value, (dict, list))
