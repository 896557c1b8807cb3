"""The JSON Schema of a spec for editors, including `extends` and every possible claim."""

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
    """The schema, in which keys are required only of a spec without `extends`: another spec may supply them."""
    schema: Schema = _plain(Spec.model_json_schema())
    extends = {"type": "string", "description": "Another spec that this one is merged over."}
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
    """A schema without the titles and empty defaults that pydantic adds."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items() if not _noise(name, part)}
    return value


def _noise(name: str, part: Any) -> bool:
    """Whether an entry is a title made from a name, or a default that only means "absent"."""
    if name == "title":
        return isinstance(part, str)
    return name == "default" and (part is None or isinstance(part, (dict, list)))


def section_of(field: Mapping[str, Any], schema: Mapping[str, Any]) -> Schema | None:
    """The schema of a field that is a section, or a list or mapping of sections; None for a plain value."""
    if "$ref" in field:
        found: Schema = schema["$defs"][field["$ref"].removeprefix(DEFINITION)]
        return found
    inner = [*field.get("anyOf", ()), *(field[part] for part in ("items", "additionalProperties") if part in field)]
    sections = [section_of(form, schema) for form in inner if isinstance(form, dict)]
    return next((section for section in sections if section), None)


def _needed(schema: Schema, section: Schema) -> Schema:
    """The required keys of a section and of the sections in it, moved out of them into one schema."""
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
        "description": "Your claims about the job; each is verified.",
        "properties": {key: _claim(entry.formula) for key, entry in QUANTITIES.items()},
        "patternProperties": {f"^{PRICE_KEY.pattern}$": _claim(price.formula)},
        "additionalProperties": False,
    }


def _claim(formula: str) -> Schema:
    return {"type": ["string", "number"], "description": formula}
