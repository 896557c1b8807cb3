"""The editors' schema accepts what hbspec reads, and refuses what it refuses."""

from __future__ import annotations

import re
from itertools import product

import pytest
from documentation import ROOT, spec_of_readme
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from hbspec.cli.spec_schema import spec_schema
from hbspec.parsing import BYTE_UNITS, SPEED_UNITS, TIME_UNITS
from hbspec.source import load, load_mapping
from hbspec.source.edited_document import with_settings
from hbspec.source.parse import parse
from hbspec.source.problems import Problems
from hbspec.source.tables import tabulate
from hbspec.spec import fields, read, section_keys

SCHEMA = spec_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
SPECS = sorted([*(ROOT / "specs").glob("*.yaml"), ROOT / "src/hbspec/cli/starter.yaml", ROOT / "tests/rules/base.yaml"])
LEAST = {
    "hbspec": 1,
    "name": "least",
    "model": {"id": "Qwen/Qwen2.5-7B"},
    "instance": {"type": "ml.g5.2xlarge"},
    "hyperparameters": {"learning_rate": 1e-4, "per_device_batch_size": 1, "max_length": 1024},
}


CASES = ROOT / "tests" / "cases"


def faults(value):
    return [error.message for error in VALIDATOR.iter_errors(value)]


def layer(path):
    """The values of a file as an editor sees it: what it extends is not merged."""
    tree = parse(path.read_text(encoding="utf-8"), str(path), Problems())
    return tabulate(tree, lambda _: path.parent)[0]


def test_it_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", [*SPECS, *sorted((CASES / "good").glob("*.yaml"))], ids=lambda path: path.stem)
def test_specs_are_accepted(path):
    alone = layer(path)
    assert faults(alone if "extends" in alone or "hbspec" in alone else {"extends": "x", **alone}) == []
    assert faults(load(path).values) == [] or path.stem in ("09-base", "09b-mid")  # which hold a part of a spec


def test_what_the_schema_refuses_check_refuses():
    for path in sorted((CASES / "planted").glob("*.yaml")):
        found = read(load(path)) if faults(load(path).values) else [None]
        assert isinstance(found, list), path.stem


def routes(section, route=()):
    """The routes of all keys, but for those in lists and in mappings from names."""
    for key in section_keys(route) or ():
        yield (*route, key)
        yield from routes(section, (*route, key))


@pytest.mark.parametrize("route", sorted(routes(())), ids=".".join)
def test_null_is_accepted_where_check_accepts_it(route):
    """In a spec that extends another, null deletes any key; in one that stands alone, it may stand for the default."""
    section = {}
    for step in reversed(route):
        section = {step: section or None}
    assert faults({"extends": "./base.yaml", **section}) == []
    whole = with_settings(LEAST, {route: None}) | {route[0]: section[route[0]]}
    if len(route) > 1:
        whole[route[0]] = {**LEAST.get(route[0], {}), **section[route[0]]}
    assert bool(faults(whole)) == isinstance(read(load_mapping(whole)), list)


QUANTITIES = {
    "volume": (fields.Bytes, [*BYTE_UNITS, "Bs", "GHz", ""]),
    "network": (fields.Speed, [*SPEED_UNITS, "GB/s", "/s", ""]),
    "max_runtime": (fields.Seconds, [*TIME_UNITS, "h30m", "h 30 min", "h-30m", "w"]),
    "price": (fields.Price, ["USD/h", "CAD / month", "EUR/ day", "usd/h", "USD", "USD/week"]),
}
NUMBERS = ["0", "1", "007", "1.", "1.5", ".5", "1e3", "1E-3", "1_000", "1,000", "1,5", "1,000.5", "1e1000000", "x", ""]


@pytest.mark.parametrize("key", QUANTITIES)
def test_no_quantity_that_check_reads_is_refused(key):
    kind, units = QUANTITIES[key]
    reader, (form, _) = TypeAdapter(kind), SCHEMA["$defs"]["Instance"]["properties"][key]["anyOf"]
    read = 0
    for number, sign, blank, unit in product(NUMBERS, ["", "~", "+", "- ", " ~ +"], ["", " ", "\t "], units):
        text = f"{sign}{number}{blank}{unit}{blank}"
        try:
            reader.validate_python(text)
        except ValidationError:
            continue
        read += 1
        assert re.search(form["pattern"], text), text
    assert read > 100


@pytest.mark.parametrize("key", QUANTITIES)
@pytest.mark.parametrize("text", ["3", "3 apples", "h", 3, "USD"])
def test_what_has_no_unit_is_refused(key, text):
    assert faults(LEAST | {"instance": {**LEAST["instance"], key: text}})


@pytest.mark.parametrize(
    ("route", "name"),
    [
        (("model", "id"), "Qwen/Qwen2.5-7B"),
        (("instance", "type"), "ml.g5.2xlarge"),
        (("instance", "alternatives", 0), "ml.g5.2xlarge"),
        (("instance", "region"), "us-east-1"),
        (("instance", "gpu"), "A100-40"),
        (("deployment", "instance", "type"), "ml.g5.2xlarge"),
        (("deployment", "ab_test", "instance", "type"), "ml.g5.2xlarge"),
    ],
    ids=str,
)
def test_names_are_offered_and_others_are_not_refused(route, name):
    words, section = set(), SCHEMA
    for step in route:
        forms = [entered for form in section.get("anyOf", [section]) for entered in [resolved(form)]]
        found = (form["items"] if step == 0 else form["properties"][step] for form in forms
                 if ("items" if step == 0 else "properties") in form)  # fmt: skip
        section = next(found)
    for form in section["anyOf"]:
        words |= set(resolved(form).get("enum", ()))
    assert name in words
    assert (
        faults(LEAST | {"instance": {**LEAST["instance"], "region": "mars-1", "gpu": "X9"}, "model": {"id": "a/b"}})
        == []
    )


def resolved(form):
    return SCHEMA["$defs"][form["$ref"].rpartition("/")[2]] if "$ref" in form else form


def test_the_readme_s_spec_is_accepted(tmp_path):
    (tmp_path / "spec.yaml").write_text(spec_of_readme())
    assert faults(load(tmp_path / "spec.yaml").values) == []


def test_a_spec_that_extends_another_may_say_only_what_differs():
    assert faults({"extends": "./base.yaml", "hyperparameters": {"lora_r": 8}, "budget": None}) == []


@pytest.mark.parametrize(
    "part",
    [
        {"hyperparameters": {"learning_rate": 1e-4, "per_device_batch_size": 1}},
        {"script": {"source_dir": "."}},
        {"data": {"tokens": {"mean": 3}}},
        {"instance": {"parallelism": "dpp"}},
        {"evaluation": [{"suite": "no score"}]},
        {"expect": {"training.epoch": 3}},
        {"expect": {"price.ml.g5.2xlarge": "1 USD/h"}},
        {"nonsense": 1},
    ],
    ids=str,
)
def test_faults_are_found(part):
    assert faults(LEAST) == []
    assert faults(LEAST | part)


def test_claims_may_be_numbers_or_texts():
    expect = {"training.epochs": 3, "training.cost": "..20 USD", "price.ml.g5.2xlarge.us-east-1": "1.515 USD/h"}
    assert faults(LEAST | {"expect": expect}) == []
