"""Documents: values, and where each of them stands."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from source_reading import faults, read

from hbspec.diagnostics import Position, Route, Span
from hbspec.source import Document, SourceError, load

SPEC = """\
# a comment
name: "é😀" # another
instance:
  type: ml.g5.2xlarge   # here
  alternatives: [a, 'b c',
    "d"]

hyperparameters: {learning_rate: 1e-4, seed: 0x1F}
notes: |
  first
  second


evaluation:
- suite: x
  min_score: .90
-
  suite: y
empty:
last: two
  words
"""


def sliced(document: Document, span: Span) -> str:
    lines = (
        document.texts[span.file]
        .replace("\r\n", "\n")
        .replace("\r", "\n")
        .split("\n")[span.start.line - 1 : span.end.line]
    )
    lines[-1] = lines[-1][: span.end.column - 1]
    lines[0] = lines[0][span.start.column - 1 :]
    return "\n".join(lines)


WRITTEN = {
    ("name",): '"é😀"',
    ("instance",): "type: ml.g5.2xlarge   # here\n  alternatives: [a, 'b c',\n    \"d\"]",
    ("instance", "type"): "ml.g5.2xlarge",
    ("instance", "alternatives", 1): "'b c'",
    ("instance", "alternatives", 2): '"d"',
    ("hyperparameters",): "{learning_rate: 1e-4, seed: 0x1F}",
    ("hyperparameters", "learning_rate"): "1e-4",
    ("notes",): "|\n  first\n  second",
    ("evaluation",): "- suite: x\n  min_score: .90\n-\n  suite: y",
    ("evaluation", 0): "suite: x\n  min_score: .90",
    ("evaluation", 1): "suite: y",
    ("empty",): "",
    ("last",): "two\n  words",
    (): SPEC.partition("\n")[2].rstrip(),
}


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_span_is_the_text_of_its_value(line_break: str, mark: str) -> None:
    document = read(mark + SPEC.replace("\n", line_break))
    assert {route: sliced(document, document.spans[route]) for route in WRITTEN} == WRITTEN
    assert {sliced(document, span) for span in document.key_spans.values()} == {
        "name", "instance", "type", "alternatives", "hyperparameters", "learning_rate", "seed", "notes",
        "evaluation", "suite",
        "min_score", "empty", "last",
    }  # fmt: skip


def test_lines_and_columns_count_characters_from_one() -> None:
    document = read('{"é": 1, "😀": 2, a: 3}')
    assert document.spans[("a",)] == Span("-", Position(1, 21), Position(1, 22))


def test_a_spelling_is_the_authors_own_without_quotes() -> None:
    spellings = read(SPEC).spellings
    assert spellings[("hyperparameters", "learning_rate")] == "1e-4"
    assert spellings[("hyperparameters", "seed")] == "0x1F"
    assert spellings[("evaluation", 0, "min_score")] == ".90"
    assert spellings[("name",)] == "é😀"
    assert ("instance",) not in spellings


@pytest.mark.parametrize(
    ("route", "written"),
    [
        (("instance", "type"), "ml.g5.2xlarge"),
        (("instance",), "instance"),  # a section below its key: the key
        (("instance", "count"), "instance"),  # missing: the key of its section
        (("instance", "a", "b"), "instance"),
        (("hyperparameters",), "{learning_rate: 1e-4, seed: 0x1F}"),
        (("hyperparameters", "lora_r"), "hyperparameters"),
        (("evaluation", 1, "min_score"), "suite: y"),  # an entry of a list has no key
        (("evaluation", 7), "evaluation"),
        (("last",), "two\n  words"),
    ],
)
def test_a_route_points_at_what_is_nearest(route: Route, written: str) -> None:
    document = read(SPEC)
    span = document.span(route)
    assert span is not None
    assert sliced(document, span) == written


def test_a_missing_section_points_at_the_whole() -> None:
    document = read(SPEC)
    assert document.span(("model",)) == document.spans[()]
    assert document.excerpt(document.spans[()]) == 'name: "é😀" # another'


def test_an_alias_is_repeated_with_its_own_place() -> None:
    document = read("a: &x {b: 1}\nc: *x\nd: &y 010\ne: *y\n")
    assert document.values == {"a": {"b": 1}, "c": {"b": 1}, "d": 10, "e": 10}
    assert document.values["a"] is not document.values["c"]
    assert sliced(document, document.spans[("c",)]) == "*x"
    assert sliced(document, document.spans[("c", "b")]) == "1"
    assert sliced(document, document.spans[("e",)]) == "*y"
    assert document.spellings[("e",)] == "010"


def test_an_anchor_may_be_redefined() -> None:
    assert read("a: &x 1\nb: *x\nc: &x [3]\nd: *x\ne: &x [&x 2, *x]\nf: *x").values == {
        "a": 1, "b": 1, "c": [3], "d": [3], "e": [2, 2], "f": 2,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["a: &x [*x]", "a: &x {b: *x}", "&x a: {b: &y [1, {c: *y}]}"])
def test_an_alias_inside_its_own_value_is_refused(text: str) -> None:
    assert [diagnostic.code for diagnostic in faults(text)] == ["HB009"]


def test_all_faults_that_can_be_told_are_told() -> None:
    text = "a: 1\na: 2\n3: x\nb: {c: .inf, c: 2}\nd: !foo x\n<<: {e: 1}\nf: *none\ng: <= 4\n? [h]\n: 1\na: 3\n"
    assert [(fault.code, fault.span and fault.span.start.line) for fault in faults(text)] == [
        ("HB002", 2), ("HB003", 3), ("HB005", 4), ("HB002", 4), ("HB006", 5), ("HB007", 6), ("HB008", 7), ("HB004", 8),
        ("HB003", 9), ("HB002", 11),
    ]  # fmt: skip


def test_a_duplicate_key_names_the_first_line() -> None:
    (again,) = faults("x:\n  a: 1\n  b: 2\n  'a': 3\n")
    assert (again.route, again.excerpt) == (("x", "a"), "  'a': 3")
    assert "line 2" in again.message


@pytest.mark.parametrize("key", ["1", "1.5", "true", "~", ".nan", "[a]", "{a: 1}", "*x"])
def test_a_key_that_is_no_text_is_refused(key: str) -> None:
    assert [fault.code for fault in faults(f"x: &x 1\n{key} : y\n")] == ["HB003"]


def test_a_key_may_be_quoted_or_repeated_by_an_alias() -> None:
    assert read("a: &x name\n*x : 1\n'2': 3\n'<<': 4\nyes: 5\n").values == {
        "a": "name",
        "name": 1,
        "2": 3,
        "<<": 4,
        "yes": 5,
    }


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system [x]", "!!binary aGk=", "!foo x", "! x", "!!str 1", "!!set {a}"]
)
def test_tags_are_refused(tag: str) -> None:
    assert [fault.code for fault in faults(f"a: {tag}")] == ["HB006"]


@pytest.mark.parametrize(
    "character",
    "\x00\x01\x08\x0b\x0c\x1b\x7f\x85\x9f\u2028\u2029\ufeff\ufffe\ud800\u202e\u2066\u200e\u061c\u200b\xad",
)
def test_a_control_character_is_refused_raw_and_escaped(character: str) -> None:
    if character != "\ud800":
        raw = faults(f"a: 1\nb: é{character}{character}\n")
        assert [fault.code for fault in raw] == ["HB013"]
        assert raw[0].span == Span("-", Position(2, 5), Position(2, 6))
        assert f"U+{ord(character):04X}" in raw[0].message
        assert "2 such" in raw[0].message
        assert character not in (raw[0].excerpt or "")
        escaped = faults(f'a: 1\nb: "\\u{ord(character):04x}"\n')
        assert [fault.code for fault in escaped] == ["HB013"]
    else:
        assert [fault.code for fault in faults(f"a: {character}")] == ["HB012"]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"a: 1\nb: caf\xe9 x\n", (2, 7)),
        (b"\xef\xbb\xbfa: \xc3\xa9\xff", (1, 5)),
        ("a: 1".encode("utf-16"), (1, 1)),
        (b"a: \xed\xa0\x80", (1, 4)),
    ],
)
def test_bytes_that_are_not_utf8_are_refused_in_their_place(
    tmp_path: Path, data: bytes, place: tuple[int, int]
) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        load(path)
    (fault,) = caught.value.diagnostics
    assert fault.code == "HB012"
    assert fault.span is not None
    assert (fault.span.start.line, fault.span.start.column) == place
    assert not caught.value.unreadable


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_another_encoding_of_unicode_is_told_by_its_name(tmp_path: Path, encoding: str, mark: bool) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(("\ufeff" * mark + "hbspec: 1\nname: café\n").encode(encoding))
    with pytest.raises(SourceError) as caught:
        load(path)
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.message) == ("HB012", f"the file is {encoding[:6].upper()}, not UTF-8")
    assert "hbspec: 1" in fault.excerpt


def test_a_byte_stream_behind_a_text_stream_is_read_as_it_is() -> None:
    stream = io.TextIOWrapper(io.BytesIO("a: é".encode()), encoding="ascii")
    assert load("-", stdin=stream).values == {"a": "é"}


@pytest.mark.parametrize("name", ["missing.yaml", ".", "fifo", "no/such/folder.yaml", "file/below", "nul\0", ""])
def test_what_cannot_be_read_says_so_without_waiting(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    Path("file").touch()
    with pytest.raises(SourceError) as caught:
        load(name)
    assert caught.value.unreadable
    assert [fault.code for fault in caught.value.diagnostics] == ["HB015"]


def test_a_closed_standard_input_says_so() -> None:
    stream = io.StringIO("a: 1")
    stream.close()
    with pytest.raises(SourceError) as caught:
        load("-", stdin=stream)
    assert caught.value.unreadable


def test_a_file_knows_its_folder_and_its_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "project" / "specs"
    folder.mkdir(parents=True)
    (tmp_path / "project" / ".git").mkdir()
    (folder / "a.yaml").write_text("a: {b: 1}")
    monkeypatch.chdir(tmp_path)
    document = load("project/specs/a.yaml")
    assert (document.file, document.directory, document.root) == ("project/specs/a.yaml", folder, tmp_path / "project")
    assert set(document.origins.values()) == {folder}
    assert document.origin(("a", "missing", 3)) == folder
    assert document.texts == {"project/specs/a.yaml": "a: {b: 1}"}


def test_standard_input_resolves_against_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    document = read("a: 1")
    assert (document.file, document.directory, document.origin(("a",))) == ("-", None, tmp_path)


def test_an_error_prints_every_line_it_has() -> None:
    with pytest.raises(SourceError, match=r"^-:2:1: HB002 .*\n-:3:1: HB002 .*$"):
        read("a: 1\na: 2\na: 3\n")


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1")
    code = "import sys; from hbspec.source import load; load('a.yaml'); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert not {"pydantic", "typer", "rich", "json", "jsonschema", "decimal", "hbspec.spec"} & set(run.stdout.split())
