"""The fields of a `config.json`, taken one by one: each is of its kind and within bounds, or the config is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hbspec.catalog.families import Family

LARGEST = 2**31 - 1
MOST_LAYERS = 10_000
"""Above both no model exists; a config is untrusted, and layers are listed one by one."""

LONGEST_SHOWN = 60


class ArchitectureError(ValueError):
    """A config that says no architecture that can be counted.

    Attributes:
        field: the field at fault, as config.json spells it (`text_config.head_dim` inside a wrapper).
        message: what is wrong and what would be right.
        not_modelled: whether the config may be right, but is of a model that no family describes.
    """

    def __init__(self, field: str, message: str, not_modelled: bool = False) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
        self.not_modelled = not_modelled


class Fields(NamedTuple):
    """The fields of a config that its family knows. An explicit null is None, not the default."""

    config: Mapping[str, Any]
    family: Family
    prefix: str

    def get(self, field: str) -> Any:
        """The value, or the class's default; None where the class does not know the field."""
        own = self.family.fields.get(field, field)
        return self.config.get(self.spelled(field), self.family.defaults[own]) if own in self.family.defaults else None

    def spelled(self, field: str) -> str:
        """A field's name in this config: where it has two, the one that is there, or else the class's own."""
        own = self.family.fields.get(field, field)
        return field if own not in self.config and field in self.config and own != field else own

    def says(self, field: str) -> bool:
        """A flag by the name of its field: "" is never and "always" always true."""
        return field == "always" or self.flag(field)

    def fail(self, field: str, message: str) -> ArchitectureError:
        """An error about a field, to be raised."""
        return ArchitectureError(self.prefix + self.spelled(field), message)

    def not_counted(self, field: str, message: str) -> ArchitectureError:
        """An error about a field that may be right, but says layers that no family has; to be raised."""
        return ArchitectureError(self.prefix + self.spelled(field), message, not_modelled=True)

    def optional_whole(self, field: str, most: int = LARGEST, least: int = 1) -> int | None:
        """An integer within bounds, or None where the field is null. Raises `ArchitectureError` for anything else."""
        value = self.get(field)
        if value is None:
            return None
        if type(value) is not int or not least <= value <= most:
            raise self.fail(field, f"{shown(value)} is not a whole number from {least} to {most}")
        return value

    def whole(self, field: str, most: int = LARGEST, least: int = 1) -> int:
        """An integer within bounds. Raises `ArchitectureError` for anything else."""
        value = self.optional_whole(field, most, least)
        if value is None:
            raise self.fail(field, "is null, but must be a whole number")
        return value

    def flag(self, field: str) -> bool:
        """A boolean, false where the field is null. Raises `ArchitectureError` for anything else."""
        value = self.get(field)
        if value is not None and not isinstance(value, bool):
            raise self.fail(field, f"{shown(value)} is neither true nor false")
        return bool(value)

    def share(self, field: str) -> float:
        """A number from 0 to 1, 0 where the field is null. Raises `ArchitectureError` for anything else."""
        return self.checked_share(field, self.get(field) or 0)

    def checked_share(self, field: str, value: Any) -> float:
        """A number from 0 to 1 of a field. Raises `ArchitectureError` for anything else."""
        if type(value) not in (int, float) or not 0 <= value <= 1:
            raise self.fail(field, f"{shown(value)} is not a number from 0 to 1")
        return float(value)

    def text(self, field: str) -> str:
        """A name, "" where the class does not know the field. Raises `ArchitectureError` for anything else."""
        value = self.get(field)
        if value is not None and not isinstance(value, str):
            raise self.fail(field, f"{shown(value)} is not a name")
        return value or ""

    def listed(self, field: str, kind: type, length: int | None = None) -> list[Any] | None:
        """A list of one kind of value, and of one length if given; None where not given."""
        value = self.get(field)
        if value is None:
            return None
        if not isinstance(value, list | tuple) or not all(type(item) is kind for item in value):
            raise self.fail(field, f"is not a list of {'names' if kind is str else 'whole numbers'}")
        if length is not None and len(value) != length:
            raise self.fail(field, f"has {len(value)} entries for {length} layers")
        return list(value)


def flat(config: Mapping[str, Any], family: Family) -> Mapping[str, Any]:
    """A config whose nested fields are named `outer.inner`, for a family that has such.

    Raises:
        ArchitectureError: one that holds others is not a mapping.
    """
    if not family.nested:
        return config
    found = dict(config)
    for outer in family.nested:
        inner = config.get(outer) or {}
        if not isinstance(inner, Mapping):
            raise ArchitectureError(outer, f"{shown(inner)} is not a mapping")
        found |= {f"{outer}.{name}": value for name, value in inner.items()}
    return found


def shown(value: Any) -> str:
    """A value out of somebody else's file, cut to what fits in a message."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
