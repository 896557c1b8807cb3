"""The service model's own constraints, as JSON Schemas written by `tools/generate_request_schemas.py`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hbspec.catalog import Catalog, catalog
from hbspec.diagnostics import Route, route_text
from hbspec.spelling import nearest
from hbspec.targets.aws.requests.problem import Problem

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

FOLDER = Path(__file__).parent
OPERATIONS = tuple(sorted(path.name.removesuffix(".schema.json") for path in FOLDER.glob("*.schema.json")))

INSTANCE_TYPES: Mapping[str, Callable[[Catalog], frozenset[str]]] = {
    "TrainingInstanceType": lambda known: known.training_types,
    "ProductionVariantInstanceType": lambda known: known.hosting_types,
}
"""Shapes whose values are the catalog's, so that a type that is added there is accepted here."""
SHOWN_LENGTH = 60
FEW_VALUES = 8
LINE_BREAK = re.compile(r"[\n\r\x85\u2028\u2029]")


@cache
def schema(operation: str) -> Mapping[str, Any]:
    """The JSON Schema of an operation's request body.

    Raises:
        ValueError: not one of `OPERATIONS`.
    """
    if operation not in OPERATIONS:
        raise ValueError(f"no schema for {operation!r}; there is one for {', '.join(OPERATIONS)}")
    loaded: dict[str, Any] = json.loads((FOLDER / f"{operation}.schema.json").read_text(encoding="utf-8"))
    for shape, accepted in INSTANCE_TYPES.items():
        if shape in loaded["$defs"]:
            loaded["$defs"][shape]["enum"] = sorted(accepted(catalog()))
    return loaded


def schema_problems(operation: str, body: Mapping[str, Any]) -> list[Problem]:
    """What the service model alone refuses, in the order of the model's members.

    Raises:
        ValueError: not one of `OPERATIONS`.
    """
    errors = _validator(operation).iter_errors(body)
    # One missing member is one error of jsonschema's, but each of them lists all that are required.
    return list(dict.fromkeys(problem for error in errors for problem in _problems(error)))


@cache
def _validator(operation: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend

    def pattern(_: Any, pattern: str, text: Any, schema: Mapping[str, Any]) -> Iterator[ValidationError]:
        # A text of a wrong length has its own error; matching a long one too could cost its length squared.
        fits = isinstance(text, str) and schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", math.inf)
        if fits and not re.search(pattern, text):
            yield ValidationError(f"{text!r} does not match {pattern!r}")

    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "object": lambda _, value: isinstance(value, Mapping),
            "array": lambda _, value: isinstance(value, list | tuple),
            # As botocore has it: 1.0 is no integer; and JSON has no NaN.
            "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
            "number": lambda _, value: _is_number(value),
        }
    )
    strict: Callable[..., Draft202012Validator] = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"pattern": pattern}, type_checker=types
    )
    return strict(schema(operation))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _problems(error: ValidationError) -> Iterator[Problem]:
    """An error of jsonschema's in our words. Free text (a hyperparameter's value, a variable's) is never repeated."""
    definition: Any = error.schema
    limit: Any = error.validator_value
    value: Any = error.instance
    check = str(error.validator)
    route: Route = tuple(part for part in error.absolute_path if isinstance(part, str | int))
    name = route_text(route) or "the request"
    if "propertyNames" in error.absolute_schema_path:
        name, route = f"a key of {name},", (*route, value)
    match check:
        case "required":
            for member in limit:
                if member not in value:
                    yield Problem((*route, member), f"{route_text((*route, member))} is missing", check)
        case "additionalProperties":
            members = definition["properties"]
            for key in value:
                if key not in members:
                    said = f"{name} has no member {_shown(key)}{_meant(key, members)}"
                    yield Problem((*route, key), said, check)
        case "type":
            yield Problem(route, f"{name} is {_kind(value)}, it must be {_article(limit)}", check)
        case "enum":
            known = f"its {len(limit)} values" if len(limit) > FEW_VALUES else ", ".join(map(repr, limit))
            yield Problem(route, f"{name} {_shown(value)} is not one of {known}{_meant(value, limit)}", check)
        case "pattern":
            yield Problem(route, f"{name} {_mismatch(value, definition)}", check)
        case "maxLength" | "minLength":
            yield Problem(route, f"{name} is {len(value)} characters long, {_bound(check, limit)}", check)
        case "maxItems" | "minItems" | "maxProperties" | "minProperties":
            yield Problem(route, f"{name} has {len(value)} entries, {_bound(check, limit)}", check)
        case "maximum" | "minimum":
            yield Problem(route, f"{name} is {value}, {_bound(check, limit)}", check)
        case _:
            raise AssertionError(f"the generator writes no {check!r}")


def _mismatch(value: str, schema: Mapping[str, Any]) -> str:
    pattern = schema.get("$comment") or schema["pattern"].removeprefix("^(?:").removesuffix(r")\Z")
    if pattern in (".*", ".+"):
        return "has a line break, which is not allowed there"
    where = " (a line break is not allowed there)" if LINE_BREAK.search(value) else ""
    return f"{_shown(value)} does not match {pattern}{where}"


def _bound(check: str, limit: float) -> str:
    return f"the limit is {limit}" if check.startswith("max") else f"at least {limit} is needed"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_LENGTH else f"{text[: SHOWN_LENGTH - 1]}…"


def _meant(word: object, known: Any) -> str:
    close = nearest(str(word)[:SHOWN_LENGTH], known)
    return f"; did you mean {close!r}?" if close else ""


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a number" if math.isfinite(value) else "not a finite number"
        case str():
            return "a string"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "an array"
    return f"a Python {type(value).__name__}"


def _article(json_type: str) -> str:
    return f"{'an' if json_type[0] in 'aio' else 'a'} {json_type}"
