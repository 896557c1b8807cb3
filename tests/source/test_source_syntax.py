"""Syntax errors: the place to act at, in words that name it, the same with libyaml and without."""

import pytest
import yaml
from source_reading import fault, faults, read

from hbspec.source import parse

CASES = [
    # text, code, (line, column), words of the message
    ("a:\n\tb: 1\n", "HB001", (2, 1), "a tab"),
    ("a: 1\n\tb: 2\n", "HB001", (2, 1), "a tab"),
    ("a:\n  b: 1\n c: 2\n", "HB001", (3, 2), "indented by 1 and the one above by 2"),
    ("a:\n    - b\n   - c\n", "HB001", (3, 4), "indented by 3 and the one above by 4"),
    ("a:\n  b: 1\n   c: 2\n", "HB001", (3, 4), "indented by 3"),
    ("a: 1\n b: 2\n", "HB001", (2, 2), "indented by 1"),
    ("a: b: c\n", "HB001", (1, 5), "second colon"),
    ("note: 50% off: yes\n", "HB001", (1, 14), "second colon"),
    ("a: 'x\nb: 1\n", "HB001", (1, 4), "quote `'`"),
    ('é: "x\nb: 1\n', "HB001", (1, 4), 'quote `"`'),
    ("a: 'b\n---\nc'\n", "HB001", (1, 4), "never closed"),
    ("a: 'it's'\n", "HB001", (1, 8), "follows a complete value"),
    ("a: [1, 2\nb: 3\n", "HB001", (1, 4), "`[` that opens here is not closed before line 2"),
    ("a: {x: 1\nb: 3\n", "HB001", (1, 4), "`{` that opens here is not closed before line 2"),
    ("a: [1, {x: 2}", "HB001", (1, 4), "`[` that opens here is not closed"),
    ("a: [\n", "HB001", (1, 4), "not closed"),
    ("a: [1, 2}\n", "HB001", (1, 9), "expected `,` or `]` for the `[` in column 4, but found `}`"),
    ("a: [b: c: d]\n", "HB001", (1, 9), "expected `,` or `]` for the `[` in column 4, but found `:`"),
    ("a: [, 1]\n", "HB001", (1, 5), "cannot begin with `,`"),
    ("a: {b: c:}\n", "HB001", (1, 9), "colon|`:`"),
    ("a: ]\n", "HB001", (1, 4), "cannot begin with `]`"),
    ("a: @x\n", "HB001", (1, 4), "cannot begin with `@`"),
    ("a: %x\n", "HB001", (1, 4), "cannot begin with `%`"),
    ("a: *\n", "HB001", (1, 4), "`*` begins an anchor or an alias, but no name follows"),
    ("a: & b\n", "HB001", (1, 4), "`&` begins an anchor or an alias, but no name follows"),
    ("a: |x\n", "HB001", (1, 4), "begins a string"),
    ("a: 1\nb\nc: 2\n", "HB001", (2, 1), "neither a key"),
    ("a: - b\n", "HB001", (1, 4), "list cannot begin"),
    ("- a\nb: 1\n", "HB001", (2, 1), "without a dash"),
    (": a\n", "HB001", (1, 1), "the key before this colon is missing"),
    ("%YAML 3.0\n---\na: 1\n", "HB001", (1, 1), "directive"),
    ("a: !<x\n", "HB006", (1, 4), "tag"),
    ("a: !e!x y\n", "HB006", (1, 4), "tag"),
    ("a: 1\n...\nb: 2\n", "HB010", (3, 1), "one document"),
    ("a: 1\n---\nb: 2\n", "HB010", (2, 1), "one document"),
]
ESCAPES = [r'a: "\q"', r'a: "\x1"', r'a: "\ud800"']
COMPARISONS = [
    ("a: >= 5", "5.."), ("a: >=5", "5.."), ("a: > 5", "5.."), ("a: >5", "5.."), ("a: >10", "10.."),
    ("a: >= 35 GB", "35 GB.."),
    ("a: > .5 # why", ".5.."), ("a: <= 5", "..5"), ("a: <5", "..5"), ("a: < 35 GB", "..35 GB"), ("a: ≥ 5", "5.."),
    ("a: ≤ 2m", "..2m"),
    ("a: {b: >= 5}", "5.."), ("a: [>= 5]", "5.."),
    ("a: {b: > 5 GB, c: 1}", "5 GB.."), ("a:\n- <= 5", "..5"), ("a: >5\nb: 1", "5.."),
    ("a: >= 1e-4", "1e-4.."),
]  # fmt: skip


@pytest.fixture(params=["libyaml", "pure Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    loader = yaml.CSafeLoader if request.param == "libyaml" else yaml.SafeLoader
    monkeypatch.setattr(parse, "PARSER", loader)
    return request.param


@pytest.mark.parametrize(("text", "code", "place", "words"), CASES, ids=[case[0] for case in CASES])
def test_an_error_is_placed_and_named(text: str, code: str, place: tuple[int, int], words: str, parser: str) -> None:
    diagnostic = faults(text)[0]
    assert diagnostic.span is not None
    start = diagnostic.span.start
    assert (diagnostic.code, (start.line, start.column)) == (code, place)
    assert any(alternative in diagnostic.message for alternative in words.split("|"))
    assert diagnostic.help
    assert diagnostic.span.start < diagnostic.span.end


@pytest.mark.parametrize("text", ESCAPES)
def test_an_escape_sequence_is_explained(text: str, parser: str) -> None:
    if parser == "pure Python" and "ud800" in text:
        assert fault(text).code == "HB013"  # PyYAML's own scanner lets a lone surrogate through
    else:
        assert "escape" in fault(text).message


@pytest.mark.parametrize(("text", "range_"), COMPARISONS, ids=[case[0] for case in COMPARISONS])
def test_a_comparison_offers_its_range(text: str, range_: str, parser: str) -> None:
    diagnostic = fault(text)
    assert diagnostic.code == "HB004"
    assert f"`{range_}`" in diagnostic.help
    (fix,) = diagnostic.fixes
    assert (fix.route, fix.value) == (diagnostic.route, range_)
    assert diagnostic.route[0] == "a"
    assert diagnostic.span is not None
    line = text.splitlines()[diagnostic.span.start.line - 1]
    assert line[diagnostic.span.start.column - 1] in "<>≤≥"


@pytest.mark.parametrize(
    "text", ["a: '>= 5'", 'a: "<= 5"', "a: >\n  5 and more", "a: >-\n  text", "a: < text", "a: <|endoftext|>", "<5: x"]
)
def test_what_is_no_comparison_loads(text: str, parser: str) -> None:
    assert len(read(text).values) == 1


def test_a_comparison_as_a_key_is_not_offered_as_a_value() -> None:
    assert fault("a: {>= 5: 1}").code == "HB001"


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "--- ~\n", "\ufeff"])
def test_a_file_without_values_is_refused(text: str, parser: str) -> None:
    assert fault(text).code == "HB011"


@pytest.mark.parametrize(
    ("text", "kind"), [("- a\n", "a list"), ("hello\n", "a string"), ("42", "a number"), ("true", "a boolean")]
)
def test_a_spec_is_a_map(text: str, kind: str) -> None:
    diagnostic = fault(text)
    assert diagnostic.code == "HB011"
    assert kind in diagnostic.message
