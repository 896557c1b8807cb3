"""The committed request schemas are what botocore's service model says, in Python's regular expressions."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from types import ModuleType

import botocore
import pytest
from jsonschema import Draft202012Validator

from hbspec.targets.aws.requests import OPERATIONS
from hbspec.targets.aws.requests.schema import schema

ROOT = Path(__file__).resolve().parents[2]


def _generator() -> ModuleType:
    path = ROOT / "tools" / "generate_request_schemas.py"
    spec = importlib.util.spec_from_file_location("generate_request_schemas", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = _generator()


def test_every_operation_that_is_generated_is_there() -> None:
    assert set(OPERATIONS) == set(GENERATOR.OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_schema_is_valid_and_names_the_botocore_that_it_came_from(operation: str) -> None:
    Draft202012Validator.check_schema(schema(operation))
    assert f"botocore {botocore.__version__}," in schema(operation)["$comment"]


def test_the_committed_schemas_are_what_botocore_gives() -> None:
    script = ROOT / "tools" / "generate_request_schemas.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_schema_that_differs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(GENERATOR, "FOLDER", tmp_path)
    assert GENERATOR.main([]) == 0
    assert GENERATOR.main(["--check"]) == 0
    changed_file = tmp_path / "CreateModel.schema.json"
    changed_file.write_text(changed_file.read_text().replace('"maxLength":63', '"maxLength":64'))
    assert GENERATOR.main(["--check"]) == 1
    assert "CreateModel.schema.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("java", "matching", "other"),
    [
        (".*", ["", "abc é"], ["a\nb", "a\r", "\x85", "\u2028"]),
        (r"\d{2}", ["12"], ["١٢", "12\n", "1"]),
        (r"\w+", ["a_1"], ["é"]),
        (r"[\S]+", ["a", "\xa0"], ["a b", ""]),
        (r"[\S\s]*", ["a\n b"], []),
        (r"\p{Print}+", ["a ~"], ["é", "\t"]),
        (r"a\/b\.c", ["a/b.c"], ["a/bxc"]),
        (r"(?!\s*$).+", ["x"], ["", "  "]),
        (r"[\p{Alnum}\-]+", ["a-1"], ["a_1"]),
        (r"[\uD800\uDC00-\uDBFF\uDFFF]", ["😀"], ["a"]),
    ],
)
def test_a_java_pattern_means_the_same_in_python(java: str, matching: list[str], other: list[str]) -> None:
    pattern = re.compile(rf"^(?:{GENERATOR.python_pattern(java)})\Z")
    assert [text for text in (*matching, *other) if pattern.search(text)] == matching


@pytest.mark.parametrize("java", [r"\b", r"[\p{L}]", r"[a[b]]", r"[a&&b]", r"[\x41]", r"\p{L}"])
def test_a_java_pattern_that_is_not_understood_is_refused(java: str) -> None:
    with pytest.raises(ValueError, match="no translation"):
        GENERATOR.python_pattern(java)


def test_a_tag_may_hold_every_letter_number_and_separator_of_unicode() -> None:
    pattern = re.compile(schema("CreateTrainingJob")["$defs"]["TagKey"]["pattern"])
    expected = {c for c in map(chr, range(0x110000)) if unicodedata.category(c)[0] in "LNZ" or c in "_.:/=+-@"}
    assert {c for c in map(chr, range(0x110000)) if pattern.search(c)} == expected
