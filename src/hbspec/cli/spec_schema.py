"""The JSON Schema of a spec as an editor needs it: with `extends`, and with every claim that can be made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hbspec.claims.quantities import PRICE_KEY, QUANTITIES, quantity
from hbspec.diagnostics import known
from hbspec.spec import Spec

Schema = dict[str, Any]

SOME_PRICE = "price.ml.g5.2xlarge.us-east-1"
DEFINITION = "#/$defs/"


def spec_schema() -> Schema:
    """A spec that extends another may leave out what that one has, and one that does not may not."""
    schema: Schema = _plain(Spec.model_json_schema())
    extends = {"type": "string", "description": "Another spec that this one is laid over."}
    definitions = schema.pop("$defs")
    whole = _needed({**schema, "$defs": definitions}, schema)
    schema["properties"] = {"extends": extends, **schema["properties"], "expect": _claims()}
    del schema["required"], schema["description"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:hbspec:spec:1",
        "title": "hbspec spec, version 1",
        "$comment": "Printed by `hbspec schema`.",
        **schema,
        "if": {"required": ["extends"]},
        "else": whole,
        "$defs": definitions,
    }


def _plain(value: Any) -> Any:
    """A schema without what pydantic adds for itself."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items() if not _noise(name, part)}
    return value


def _noise(name: str, part: Any) -> bool:
    """Titles made of names, and defaults that only say "absent"."""
    if name == "title":
        return isinstance(part, str)
    return name == "default" and (part is None or isinstance(part, (dict, list)))


def section_of(field: Mapping[str, Any], schema: Mapping[str, Any]) -> Schema | None:
    """The section that a field is, or is a list or a map of; None if it is a plain value."""
    if "$ref" in field:
        found: Schema = schema["$defs"][field["$ref"].removeprefix(DEFINITION)]
        return found
    inner = [*field.get("anyOf", ()), *(field[part] for part in ("items", "additionalProperties") if part in field)]
    sections = [section_of(form, schema) for form in inner if isinstance(form, dict)]
    return next((section for section in sections if section), None)


def _needed(schema: Schema, section: Schema) -> Schema:
    """What a section and those in it cannot do without; taken out of them."""
    needed: Schema = {"required": section["required"]} if "required" in section else {}
    inner = {}
    for name, field in section["properties"].items():
        forms = [field, *field.get("anyOf", ())]
        if any("$ref" in form for form in forms) and (found := section_of(field, schema)):
            inner[name] = _needed(schema, found)
            found.pop("required", None)
    filled = {name: rest for name, rest in inner.items() if rest}
    return needed | ({"properties": filled} if filled else {})


def _claims() -> Schema:
    price = known(quantity(SOME_PRICE), SOME_PRICE)
    return {
        "type": "object",
        "description": "The author's own claims, each verified.",
        "properties": {key: _claim(entry.formula) for key, entry in QUANTITIES.items()},
        "patternProperties": {f"^{PRICE_KEY.pattern}$": _claim(price.formula)},
        "additionalProperties": False,
    }


def _claim(formula: str) -> Schema:
    return {"type": ["string", "number"], "description": formula}
