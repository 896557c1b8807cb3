"""What may stand at a route of a spec: its keys, its choices, and what it means."""

from __future__ import annotations

from inspect import getdoc
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from hbspec.diagnostics import Route
from hbspec.spec.sections import Spec


def section_keys(route: Route) -> tuple[str, ...] | None:
    """The keys that the mapping at `route` may have; None if it may have any key, or is not a section."""
    section = section_of(annotation_of(route))
    return tuple(section.model_fields) if section else None


def annotation_of(route: Route) -> Any:
    """The type of the value at `route`; None if the spec language does not have this route."""
    annotation: Any = Spec
    for part in route:
        section = section_of(annotation)
        if isinstance(part, int):
            annotation = next((form.__args__[0] for form in forms_of(annotation) if get_origin(form) is tuple), None)
        elif section:
            annotation = section.model_fields[part].annotation if part in section.model_fields else None
        else:
            annotation = next((form.__args__[1] for form in forms_of(annotation) if get_origin(form) is dict), None)
    return annotation


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The section among the members of a type; None if it has none."""
    return next((form for form in forms_of(annotation) if isinstance(form, type) and issubclass(form, BaseModel)), None)


def forms_of(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, or the type itself."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def described(route: Route) -> str:
    """The description of the key at a route, or of its section; empty if there is none."""
    field = field_of(route)
    if field is not None and field.description:
        return str(field.description)
    section = section_of(annotation_of(route)) if route else None
    return (getdoc(section) or "").partition("\n")[0] if section else ""


def choices_of(route: Route) -> tuple[str, ...]:
    """The words that may stand at a route, as YAML spells them; empty where others may, too."""
    found: list[str] = []
    for form in forms_of(annotation_of(route)):
        if get_origin(form) is Literal:
            found += map(str, get_args(form))
        elif form is bool:
            found += ("true", "false")
    return tuple(found)


def default_of(route: Route) -> Any:
    """The default that the language gives a key; None where it gives none."""
    field = field_of(route)
    return field.default if field is not None and isinstance(field.default, str | int | float | bool) else None


def is_needed(route: Route) -> bool:
    """Whether a section is not complete without the key at this route."""
    field = field_of(route)
    return field is not None and field.is_required()


def field_of(route: Route) -> Any:
    """The field of the key at a route; None where the language does not have it."""
    section = section_of(annotation_of(route[:-1])) if route else None
    return section.model_fields.get(str(route[-1])) if section else None
