"""The pages that are generated whole: the manual of codes, the spec reference, the editors' schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

from pydantic import WithJsonSchema

from hbspec.api import estimate
from hbspec.cli.spec_schema import section_of, spec_schema
from hbspec.manual import Page, file_of
from hbspec.manual import pages as manual_pages
from hbspec.render.manual_page import EXPLAINED
from hbspec.spec import Spec, fields

ROOT = Path(__file__).resolve().parents[1]
FOOTER = "Written by `make docs` (`tools/generate_docs.py`)"

FAMILIES = {
    "HB0": "Text, shape, targets and files",
    "HB1": "Hardware",
    "HB2": "Training and data",
    "HB3": "Time and money",
    "HB4": "Claims",
    "HB5": "The endpoint",
    "HB6": "What SageMaker refuses, and what is not known",
}
"""What the first digit of a code stands for."""

EXTENDS = "Another spec that this one is laid over: maps merge, lists replace, null deletes."

REFERENCE = """Every key of language version 1, as diagnostics and `--set` write it; `[]` stands for each entry of a \
list, `*` for each name of a map. A bare number where a unit is needed is an error. An *assumed* value is what the \
plan takes where the spec is silent: those here are of a QLoRA job with an endpoint, those of your spec are listed by \
`hbspec estimate`. For editors there is [hbspec.schema.json](hbspec.schema.json): begin a spec with \
`# yaml-language-server: $schema=` and its path."""

Schema = Mapping[str, Any]


def generated_pages() -> dict[str, str]:
    """Every page, by its name below `docs`."""
    return {
        **{f"rules/{entry.code}.md": code_page(entry) for entry in codes()},
        "rules/index.md": code_index(),
        "spec-reference.md": spec_reference(),
        "hbspec.schema.json": json.dumps(spec_schema(), indent=1, ensure_ascii=False) + "\n",
    }


@cache
def codes() -> tuple[Page, ...]:
    """Every code that hbspec can print, in order."""
    return tuple(sorted(manual_pages(), key=lambda entry: entry.code))


def families() -> Iterator[tuple[str, list[Page]]]:
    """The codes by their first digit, under its title."""
    for prefix, entries in groupby(codes(), key=lambda entry: entry.code[:3]):
        yield FAMILIES[prefix], list(entries)


def code_page(entry: Page) -> str:
    """The manual page of one code."""
    source = _source(entry.code)
    parts = [
        f"# {entry.code} · {entry.name}",
        f"**{entry.severity}**: {entry.summary}",
        f"**Why**: {entry.why}",
        *([f"{EXPLAINED} {', '.join(f'[{code}]({code}.md)' for code in entry.beside)}."] if entry.beside else []),
        "## Example",
        _fenced("yaml", entry.example),
        "## Instead",
        _fenced("yaml", entry.instead),
    ]
    if entry.references:
        parts += ["## References", "\n".join(f"- <{reference}>" for reference in entry.references)]
    parts += ["---", f"`hbspec explain {entry.code}` prints this page. {FOOTER} from [{source}](../../{source})."]
    return "\n\n".join(parts) + "\n"


def code_index() -> str:
    """All codes, by family."""
    parts = [
        "# Codes",
        "Everything that `hbspec` can find wrong. `hbspec rules` lists the codes, `hbspec explain CODE` prints a page; "
        "`# hbspec: allow CODE -- why` on the line of a finding, or on a line of its own above it, lets it pass. The "
        "severity is the usual one; a single finding may weigh less.",
    ]
    for title, entries in families():
        rows = ((f"[{e.code}]({e.code}.md)", e.name, e.severity, e.summary) for e in entries)
        parts += [f"## {title}", table(("Code", "Name", "Severity", "Summary"), rows)]
    return "\n\n".join([*parts, "---", f"{FOOTER}."]) + "\n"


def _source(code: str) -> str:
    """The file, relative to the root, that a code's page is written in."""
    return str(file_of(code).relative_to(ROOT))


def spec_reference() -> str:
    """Every key of the language, in its order."""
    schema = Spec.model_json_schema()
    top = [("`extends`", "text", "none", EXTENDS)]
    sections = []
    for name, field in schema["properties"].items():
        if section := section_of(field, schema):
            top.append((f"[`{name}`](#{name})", *_row(name, field, schema, schema)[1:3], section["description"]))
            within = f"{name}[]" if "items" in _form(field) else name
            sections += [f"## {name}", section["description"], _table(rows(within, section, schema))]
        else:
            top.append(_row(name, field, schema, schema))
    parts = [
        "# Spec reference",
        REFERENCE,
        "## The top",
        _table(top),
        *sections,
        "---",
        f"{FOOTER} from [src/hbspec/spec/sections.py](../src/hbspec/spec/sections.py). What may be claimed under "
        "`expect` is in [claims.md](claims.md).",
    ]
    return "\n\n".join(parts) + "\n"


Row = tuple[str, str, str, str]


def rows(prefix: str, section: Schema, schema: Schema) -> Iterator[Row]:
    """The keys of a section and of the sections in it."""
    for name, field in section["properties"].items():
        key = f"{prefix}.{name}"
        yield _row(key, field, section, schema)
        if inner := section_of(field, schema):
            form = _form(field)
            suffix = "[]" if "items" in form else ".*" if "additionalProperties" in form else ""
            yield from rows(key + suffix, inner, schema)


def _row(key: str, field: Schema, section: Schema, schema: Schema) -> Row:
    name = key.rpartition(".")[2]
    about = field.get("description", "")
    if about == _unit_words().get(_example(field)):
        about = ""
    inner = section_of(field, schema)
    about = about or (inner["description"] if inner else "")
    return f"`{key}`", kind(_form(field)), _default(key, name, field, section), about


def _default(key: str, name: str, field: Schema, section: Schema) -> str:
    if name in section.get("required", ()):
        return "**required**"
    if key in _assumed():
        return f"assumed `{_plain(_assumed()[key])}`"
    default = field.get("default")
    return "none" if default in (None, [], {}) or isinstance(default, dict) else f"`{_plain(default)}`"


def kind(form: Schema) -> str:
    """What may be written, in plain words.

    >>> kind({"type": "integer", "exclusiveMinimum": 0, "maximum": 1000})
    'whole number, 1 to 1,000'
    """
    if "anyOf" in form:
        *others, last = (kind(part) for part in form["anyOf"])
        return f"{', '.join(others)} or {last}"
    if "enum" in form or "const" in form:
        return ", ".join(f"`{choice}`" for choice in form.get("enum", [form.get("const")]))
    if "$ref" in form:
        return "map"
    match form.get("type"):
        case "boolean":
            return "`true` or `false`"
        case "integer":
            least = form["exclusiveMinimum"] + 1 if "exclusiveMinimum" in form else None
            return _bounded("whole number", form, least)
        case "number":
            return _bounded("number", form, None)
        case "array":
            return f"list of {kind(form['items'])}s".replace("texts", "text")
        case "object":
            return f"map of names to {kind(form['additionalProperties'])}".replace("to map", "to maps")
    words = _unit_words().get(_example(form))
    return f"{words[0].lower()}{words[1:-1]}, `{_example(form)}`" if words else "text"


def _bounded(noun: str, form: Schema, low: int | None) -> str:
    """A number and its range; `low` is the least that there is where the schema names no minimum."""
    low = form.get("minimum", low)
    above, high, below = form.get("exclusiveMinimum"), form.get("maximum"), form.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"{noun}, {_number(low)} to {_number(high)}"
    ends = {"at least": low, "above": above if low is None else None, "below": below, "at most": high}
    return ", ".join([noun, *(f"{word} {_number(end)}" for word, end in ends.items() if end is not None)])


def _number(value: float) -> str:
    """Large powers of ten as such."""
    digits = f"{value:.0f}"
    if value >= 10**5 and set(digits[1:]) == {"0"} and digits[0] == "1":
        return "10" + str(len(digits) - 1).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{value:,}"


def _form(field: Schema) -> Schema:
    """A field without the null that stands for its absence."""
    forms = [form for form in field.get("anyOf", ()) if form.get("type") != "null"]
    if len(forms) == 1:
        return dict(forms[0])
    return {**field, "anyOf": forms} if forms else field


def _example(form: Schema) -> str:
    return str((_form(form).get("examples") or [""])[0])


@cache
def _unit_words() -> dict[str, str]:
    """The kinds of quantities by their examples, in the words of `hbspec.spec.fields`."""
    noted = (note for alias in vars(fields).values() for note in get_args(alias) if isinstance(note, WithJsonSchema))
    schemas = [note.json_schema or {} for note in noted]
    return {schema["examples"][0]: schema["description"] for schema in schemas}


@cache
def _assumed() -> dict[str, Any]:
    """What the plan chooses for a spec that says as little as it can."""
    least = {
        "hbspec": 1,
        "name": "least",
        "model": {"id": "Qwen/Qwen2.5-7B"},
        "instance": {"type": "ml.g5.2xlarge"},
        "hyperparameters": {"learning_rate": 1e-4, "per_device_batch_size": 1, "max_length": 1024},
        "deployment": {"instance": {"type": "ml.g5.2xlarge"}},
    }
    assumed = estimate(least).assumed
    return {".".join(map(str, entry.route)): entry.value for entry in assumed if not isinstance(entry.value, dict)}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.strip(chr(10))}\n```"


def _table(entries: Iterable[Row]) -> str:
    return table(("Key", "What it is", "Default", "Meaning"), entries)


def table(heads: tuple[str, ...], entries: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [heads, ("---",) * len(heads), *(tuple(cell.replace("|", "\\|") for cell in entry) for entry in entries)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
