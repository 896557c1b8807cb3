"""`--set KEY=VALUE`."""

from pathlib import Path
from typing import Any

import pytest
from source_reading import fault, faults, read

from hbspec.diagnostics import Position, Span

SPEC = 'name: x\nlist: [{a: 1}, {a: 2}]\nmap: {b: 1, "2": 0}\nexpect: {a.b: 1, a: {c: 2}}\n'


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("name=y", "name", "y"),
        ("name= 2e-4", "name", 2e-4),
        ("name='2e-4'", "name", "2e-4"),
        ("name=[1, {a: yes}]", "name", [1, {"a": "yes"}]),
        ("name=a=b", "name", "a=b"),
        ("name=1 # why", "name", 1),
        ("map.b=2", "map", {"b": 2, "2": 0}),
        ("map.c.d=2", "map", {"b": 1, "2": 0, "c": {"d": 2}}),
        ("map.2=1", "map", {"b": 1, "2": 1}),
        ("map.b=null", "map", {"2": 0}),
        ("map=~", "map", None),
        ("list[1].a=3", "list", [{"a": 1}, {"a": 3}]),
        ("list.0.a=3", "list", [{"a": 3}, {"a": 2}]),
        ("list[0]=null", "list", [{"a": 2}]),
        ("list=[]", "list", []),
        ("new=1", "new", 1),
        ("expect.a.b=3", "expect", {"a.b": 3, "a": {"c": 2}}),
        ("expect.a.c=3", "expect", {"a.b": 1, "a": {"c": 3}}),
        ('expect."a.c"=3', "expect", {"a.b": 1, "a": {"c": 2}, "a.c": 3}),
        ("expect.'x y=z'=3", "expect", {"a.b": 1, "a": {"c": 2}, "x y=z": 3}),
    ],
)
def test_a_value_is_set(override: str, key: str, value: Any) -> None:
    assert read(SPEC, override).values.get(key) == value


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("name", "not of the form"), ("=1", "not of the form"), ("", "not of the form"), ("a.=1", "not of the form"),
        (".a=1", "not of the form"), ("a..b=1", "not of the form"), ("a b=1", "not of the form"),
        ("[0]=1", "is a mapping"),
        ("list[x]=1", "not of the form"), ("list[-1]=1", "not of the form"), ("name=", "no value"),
        ("name= # x", "no value"),
        ("name.x=1", "`name` is a string"), ("list[2]=1", "entries 0 to 1, not 2"), ("list.a=1", "`list` is a list"),
        ("list[0][0]=1", "is a mapping"), ("missing=null", "`missing` cannot be deleted: it does not exist"),
        ("map.x.y=null", "`map.x.y` cannot be deleted: it does not exist"),
        ("extends=./x.yaml", "cannot be set"), ("name=a\nlist: b", "one line"),
        ("list[1].a.b=1", "`list[1].a` is a number"),
    ],
)  # fmt: skip
def test_what_cannot_be_applied_says_why(override: str, words: str) -> None:
    diagnostic = fault(SPEC, override)
    assert diagnostic.code == "HB019"
    assert words in diagnostic.message
    assert diagnostic.span is not None
    assert diagnostic.file == diagnostic.span.file
    assert diagnostic.file.startswith("--set ")


@pytest.mark.parametrize(
    ("value", "code", "column"),
    [
        (">= 5", "HB004", 7),
        ("[1", "HB001", 7),
        ("!!str 1", "HB006", 7),
        ("*x", "HB008", 7),
        (".inf", "HB005", 7),
        ("{a: 1, a: 2}", "HB002", 14),
    ],
)
def test_a_value_keeps_the_rules_of_yaml(value: str, code: str, column: int) -> None:
    diagnostic = fault(SPEC, f"map.b={value}")
    assert diagnostic.code == code
    assert diagnostic.route[:2] == ("map", "b")
    assert all(fix.route == ("map", "b") for fix in diagnostic.fixes)
    assert diagnostic.span is not None
    assert diagnostic.span.start == Position(1, column)
    assert diagnostic.excerpt == f"map.b={value}"


def test_overrides_apply_in_order_and_report_all_faults() -> None:
    assert read(SPEC, "name=y", "name=z", "map=null", "map.q=1").values["map"] == {"q": 1}
    assert [diagnostic.file for diagnostic in faults(SPEC, "b", "a", "name=z")] == ["--set a", "--set b"]


def test_a_set_value_knows_where_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    document = read(SPEC, "map.c={d: 1e-4}")
    file = "--set map.c={d: 1e-4}"
    assert document.spans[("map", "c", "d")] == Span(file, Position(1, 11), Position(1, 15))
    assert document.key_spans[("map", "c")] == Span(file, Position(1, 1), Position(1, 6))
    assert document.spellings[("map", "c", "d")] == "1e-4"
    assert document.excerpt(document.spans[("map", "c", "d")]) == "map.c={d: 1e-4}"
    assert document.origins[("map", "c", "d")] == tmp_path
    assert document.spans[("map", "b")].file == "-"


def test_aliased_values_are_set_apart() -> None:
    assert read("a: &x {b: {c: 1}}\nd: *x\n", "d.b.c=2").values == {"a": {"b": {"c": 1}}, "d": {"b": {"c": 2}}}


def test_a_secret_is_not_repeated() -> None:
    diagnostic = fault(SPEC, "name.password=hunter22")
    assert "hunter22" not in repr(diagnostic)
    assert diagnostic.file == "--set name.password=********"


def test_the_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HBSPEC_NAME", "from outside")
    assert read("name: $HBSPEC_NAME", "x=${HBSPEC_NAME}").values == {"name": "$HBSPEC_NAME", "x": "${HBSPEC_NAME}"}
