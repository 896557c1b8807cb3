"""The endings of the files that a spec may be in."""

from __future__ import annotations

YAML_SUFFIXES = (".yaml", ".yml")
JSON_SUFFIXES = (".json",)


def is_yaml(name: str) -> bool:
    """Whether a file name has a suffix of YAML, in upper or lower case."""
    return name.casefold().endswith(YAML_SUFFIXES)


def is_json(name: str) -> bool:
    """Whether a file name has the suffix of JSON, in upper or lower case."""
    return name.casefold().endswith(JSON_SUFFIXES)
