"""A spec with one value replaced, at any route and as spelled in a file."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from hbspec.diagnostics import Renamed, Route
from hbspec.spec.sections import Spec


def with_value(spec: Spec, route: Route, value: Any) -> Spec:
    """The spec with `value` at `route`, read as in a file; None is the default. A missing section stays missing.

    `Renamed` is for keys of a mapping whose keys are not those of a section, such as `expect`.

    Checks across the keys of a section are not repeated.

    Raises:
        ValueError: the key does not accept the value.
    """
    changed: Spec = _with(spec, route, value)
    return changed


def _with(node: Any, route: Route, value: Any) -> Any:
    if node is None or not route:
        return value if not route else None
    first, rest = route[0], route[1:]
    if isinstance(value, Renamed) and not rest:
        return {value.key if name == first else name: held for name, held in node.items()}
    if isinstance(node, BaseModel):
        return _with_field(node, str(first), rest, value)
    if isinstance(node, tuple):
        return tuple(_with(item, rest, value) if place == first else item for place, item in enumerate(node))
    return {**node, first: _with(node.get(first), rest, value)}


def _with_field(section: BaseModel, name: str, rest: Route, value: Any) -> BaseModel:
    field = type(section).model_fields[name]
    inner = _with(getattr(section, name), rest, value) if rest else _typed(field, value)
    return section.model_copy(update={name: inner})


def _typed(field: FieldInfo, value: Any) -> Any:
    if value is None and not field.is_required():
        return field.get_default(call_default_factory=True)
    annotation: Any = Annotated[field.annotation, field]
    return TypeAdapter(annotation).validate_python(value)
