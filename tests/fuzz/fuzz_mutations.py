"""Mutations of valid specs: of their bytes, of their YAML structure, of their values. Same number, same case."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fuzz_bytes import mutated_bytes
from fuzz_structure import mutated_structure
from fuzz_values import mutated_values


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


KINDS: dict[str, Callable[[random.Random], tuple[bytes | dict[str, Any], dict[str, str]]]] = {
    "bytes": mutated_bytes,
    "structure": mutated_structure,
    "values": mutated_values,
}
