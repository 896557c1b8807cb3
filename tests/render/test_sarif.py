"""SARIF 2.1.0: valid, and pointing to where the text points."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from hbspec.diagnostics import Fix, Position, Renamed, Report, Severity
from hbspec.manual import Page
from hbspec.render.sarif import FINGERPRINT, sarif

from .conftest import BUDGET, IDLE, MISSING, NOTE, WHOLE

SCHEMA = json.loads(Path(__file__).with_name("sarif.schema.json").read_text())
PAGE = Page("HB101", "idle-gpus", "Idle.", "They wait.", "a: 1", "a: 2", Severity.WARNING, ("https://example.com/",))


def page(code):
    return PAGE if code == PAGE.code else None


def run_of(*diagnostics, files=("specs/seed.yaml",)):
    log = sarif(Report(files=files, diagnostics=diagnostics), page)
    Draft202012Validator(SCHEMA).validate(log)
    json.dumps(log, allow_nan=False)
    return log["runs"][0]


def test_every_kind_of_diagnostic_is_valid(report):
    run = run_of(*report.diagnostics, WHOLE)
    assert [result["ruleId"] for result in run["results"]] == ["HB021", "HB305", "HB101", "HB131", "HB015"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_a_result():
    (result,) = run_of(BUDGET)["results"]
    assert result["level"] == "error"
    assert result["message"]["text"].startswith("16.0 h at 36.00 CAD/h may spend 576.00 CAD")
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "specs/seed.yaml"},
        "region": {"startLine": 112, "startColumn": 13, "endLine": 112, "endColumn": 20},
    }
    assert location["logicalLocations"] == [{"fullyQualifiedName": "budget.max_cost"}]


def test_the_manual_comes_along():
    (rule,) = run_of(IDLE)["tool"]["driver"]["rules"]
    assert rule["name"] == "idle-gpus"
    assert rule["defaultConfiguration"] == {"level": "warning"}
    assert rule["helpUri"] == "https://example.com/"
    assert "```yaml\na: 2\n```" in rule["help"]["markdown"]


def test_fingerprints_outlive_a_move_and_tell_two_apart():
    moved = BUDGET._replace(span=BUDGET.span._replace(start=Position(7, 3), end=Position(7, 4)))
    prints = [result["partialFingerprints"][FINGERPRINT] for result in run_of(BUDGET, IDLE)["results"]]
    assert len(set(prints)) == 2
    assert run_of(moved)["results"][0]["partialFingerprints"][FINGERPRINT] == prints[0]
    twice = [result["partialFingerprints"][FINGERPRINT] for result in run_of(BUDGET, moved)["results"]]
    assert len(set(twice)) == 2


def test_a_value_is_replaced_where_it_stands():
    (fix,) = run_of(IDLE)["results"][0]["fixes"]
    (change,) = fix["artifactChanges"]
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 9, "startColumn": 16, "endLine": 9, "endColumn": 24},
            "insertedContent": {"text": '"ddp"'},
        }
    ]


def test_a_key_gets_its_other_name_where_it_stands():
    renamed = IDLE._replace(
        excerpt='  "parallelsm": x', span=IDLE.span._replace(start=Position(9, 3), end=Position(9, 15)),
        route=("instance", "parallelsm"), fixes=(Fix("rename it", ("instance", "parallelsm"), Renamed("parallelism")),),
    )  # fmt: skip
    bare = renamed._replace(
        excerpt="  parallelsm: x", span=renamed.span._replace(end=Position(9, 13)),
    )  # fmt: skip
    assert "fixes" not in run_of(renamed)["results"][0]
    (fix,) = run_of(bare)["results"][0]["fixes"]
    (replaced,) = fix["artifactChanges"][0]["replacements"]
    assert replaced["insertedContent"] == {"text": "parallelism"}
    assert replaced["deletedRegion"] == {"startLine": 9, "startColumn": 3, "endLine": 9, "endColumn": 13}


@pytest.mark.parametrize(
    "diagnostic",
    [
        MISSING,
        IDLE._replace(fixes=(IDLE.fixes[0]._replace(route=("instance", "count")),)),
        IDLE._replace(fixes=(IDLE.fixes[0]._replace(value=None),)),
        IDLE._replace(fixes=(IDLE.fixes[0]._replace(value={"a": 1}),)),
        IDLE._replace(excerpt="  parallelism: {a: 1}   "),
        IDLE._replace(span=IDLE.span._replace(end=Position(10, 3))),
        IDLE._replace(span=None, excerpt=None),
    ],
    ids=["missing key", "another key", "deletion", "a map", "over a map", "several lines", "no place"],
)
def test_nothing_else_is_offered_as_a_replacement(diagnostic):
    assert "fixes" not in run_of(diagnostic)["results"][0]


@pytest.mark.parametrize(
    ("file", "uri"),
    [("-", "stdin"), ("a b/ü.yaml", "a%20b/%C3%BC.yaml"), ("x\udcff.yaml", "x%FF.yaml"), ("C:\\a", "C%3A/a")],
)
def test_names_are_uris(file, uri):
    named(file, uri)


def test_an_absolute_name_is_relative_where_it_is_below_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    named(str(tmp_path / "a b/x.yaml"), "a%20b/x.yaml")
    named("/elsewhere/a b.yaml", "file:///elsewhere/a%20b.yaml")


def named(file, uri):
    run = run_of(NOTE._replace(file=file), files=(file,))
    assert run["artifacts"] == [{"location": {"uri": uri}}]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
