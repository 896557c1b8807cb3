"""The JSON Schema of a spec for editors, including `extends`, every possible claim, and the catalog's names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from hbspec.catalog import catalog
from hbspec.claims.quantities import PRICE_KEY, QUANTITIES, quantity
from hbspec.diagnostics import Route, known
from hbspec.lsp.offers import OFFERED_AT, offered
from hbspec.spec import Spec

Schema = dict[str, Any]

SOME_PRICE = "price.ml.g5.2xlarge.us-east-1"
DEFINITION = "#/$defs/"
NULL: Schema = {"type": "null"}
NOT_NULL: Schema = {"not": NULL}


def spec_schema() -> Schema:
    """The schema; of a spec with `extends` it requires no key, which another spec may supply, and null deletes any."""
    schema: Schema = _plain(Spec.model_json_schema())
    extends = {"type": "string", "description": "Another spec that this one is merged over."}
    schema["properties"]["expect"] = _claims()
    whole = _needed(schema, schema)
    for section in _sections(schema, schema):
        section.pop("required", None)
        section["properties"] = {name: _or_null(field) for name, field in section["properties"].items()}
    _suggest(schema)
    definitions = schema.pop("$defs")
    schema["properties"] = {"extends": extends, **schema["properties"]}
    del schema["description"]
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


def _forms(field: Schema) -> list[Schema]:
    return field.get("anyOf") or [field]


def _merged_section(field: Schema, schema: Schema) -> Schema | None:
    """The section of a field that merges with that of another spec; None for plain values, and for lists."""
    return section_of(field, schema) if any("$ref" in form for form in _forms(field)) else None


def _sections(schema: Schema, section: Schema) -> Iterator[Schema]:
    """A section and those in it, each once for each place that it has."""
    yield section
    for field in list(section["properties"].values()):
        if inner := _merged_section(field, schema):
            yield from _sections(schema, inner)


def _needed(schema: Schema, section: Schema) -> Schema:
    """What a section lacks if it stands alone: the required keys of it and of the sections in it, and what null is."""
    inner: Schema = {}
    for name, field in section["properties"].items():
        found = _merged_section(field, schema)
        rest = _needed(schema, found) if found else {}
        if NULL not in _forms(field):
            rest |= NOT_NULL
        if any("additionalProperties" in form for form in _forms(field)):
            rest["additionalProperties"] = NOT_NULL
        if rest:
            inner[name] = rest
    needed: Schema = {"required": section["required"]} if "required" in section else {}
    return needed | ({"properties": inner} if inner else {})


def _or_null(field: Schema) -> Schema:
    """A field that may be null, too, and so may its entries; where null is not a value, it deletes what is merged."""
    told = {name: part for name, part in field.items() if name in ("description", "default")}
    forms = deepcopy(_forms({name: part for name, part in field.items() if name not in told}))
    for form in forms:
        for part in ("additionalProperties", "patternProperties", "properties"):
            if part == "additionalProperties" and isinstance(form.get(part), dict):
                form[part] = _or_null(form[part])
            elif part in form and part != "additionalProperties":
                form[part] = {name: _or_null(entry) for name, entry in form[part].items()}
    return {**told, "anyOf": forms if NULL in forms else [*forms, NULL]}


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


def _suggest(schema: Schema) -> None:
    """Offer the catalog's names where it has some; others stay allowed, and are a matter for `hbspec check`."""
    facts = catalog()
    for steps in OFFERED_AT:
        names = sorted(offered(steps, facts))
        label = ".".join(("names", *map(str, steps)))
        shared = next((key for key, one in schema["$defs"].items() if one == {"enum": names}), label)
        schema["$defs"][shared] = {"enum": names}
        field = _field_at(schema, steps)
        forms = field["anyOf"]
        for form in forms:
            if form.get("type") == "array":
                form["items"] = {"anyOf": [{"$ref": f"{DEFINITION}{shared}"}, form["items"]]}
                break
        else:
            forms.insert(0, {"$ref": f"{DEFINITION}{shared}"})


def _field_at(schema: Schema, route: Route) -> Schema:
    section = schema
    for step in route[:-1]:
        section = known(section_of(section["properties"][step], schema), str(step))
    found: Schema = section["properties"][route[-1]]
    return found
