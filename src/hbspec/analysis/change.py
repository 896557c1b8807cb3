"""A change to a spec: a pure function of the spec, which sets single values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hbspec.diagnostics import Route, route_text
from hbspec.spec import Spec

Settings = dict[Route, Any]
"""The value to write at each route, as in the spec; None deletes the key."""


@dataclass(frozen=True, slots=True)
class Change:
    """Values to set in a spec.

    Attributes:
        kind: the subject of the change; two changes of one kind are alternatives.
        settings: the values to set.
        remark: any other effect on the result; empty where there is none.
    """

    kind: str
    settings: Settings
    remark: str = ""

    def applied(self, spec: Spec) -> Spec:
        """The spec with these values set; a deleted key has its default."""
        sections: dict[str, dict[str, Any]] = {}
        for (section, key), value in self.settings.items():
            sections.setdefault(str(section), {})[str(key)] = value
        return spec.model_copy(update={name: _with(getattr(spec, name), sections[name]) for name in sections})

    def after(self, first: Change) -> Change:
        """Both changes as one, with `first` applied first."""
        remark = "; ".join(filter(None, (first.remark, self.remark)))
        return Change(f"{first.kind}+{self.kind}", {**first.settings, **self.settings}, remark)

    def to_dict(self) -> dict[str, Any]:
        """The settings by key, as in `--set`."""
        return {route_text(route): value for route, value in self.settings.items()}


def _with(section: Any, values: dict[str, Any]) -> Any:
    if isinstance(section, dict):  # `expect`, of which claims can only be deleted
        return {key: claim for key, claim in section.items() if key not in values}
    fields = type(section).model_fields
    return section.model_copy(
        update={key: fields[key].default if value is None else value for key, value in values.items()}
    )
