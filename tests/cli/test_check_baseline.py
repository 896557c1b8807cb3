"""`hbspec check --baseline`: what was found before is counted, and what is new is reported."""

from __future__ import annotations

import json

import pytest

ENTRY = '{"format_version": 2, "findings": [{"file": "a", "code": "%s", "route": "", "severity": "%s", "count": 1}]}'


def summary(out):
    return json.loads(out)["summary"]


@pytest.fixture
def known(hbspec):
    """A baseline of a spec with findings, in a folder beside it."""
    job = hbspec.folder / "job.yaml"
    job.write_text(job.read_text().replace("examples: 2000", "examples: 3"))
    (hbspec.folder / "kept").mkdir(exist_ok=True)
    hbspec("check", "job.yaml", "--baseline", "kept/known.json", "--update-baseline")
    return hbspec.folder / "kept" / "known.json"


def test_what_is_known_is_counted_and_what_is_new_is_reported(hbspec, known):
    before = summary(hbspec("check", "job.yaml", "--format", "json")[1])
    code, out, _ = hbspec("check", "job.yaml", "--baseline", "kept/known.json", "--format", "json")
    assert code == 0
    assert (summary(out)["errors"], summary(out)["warnings"]) == (0, 0)
    assert summary(out)["baselined"] == sum(before[kind] for kind in ("errors", "warnings", "notes")) > 0
    assert {one["file"] for one in json.loads(known.read_text())["findings"]} == {"../job.yaml"}
    assert "in the baseline" in hbspec("check", "job.yaml", "--baseline", "kept/known.json")[1]
    new = ("--set", "budget.max_cost=0.01 USD")
    code, out, _ = hbspec("check", "job.yaml", "--baseline", "kept/known.json", "--format", "json", *new)
    assert (code, [one["code"] for one in json.loads(out)["diagnostics"]][:1]) == (1, ["HB303"])


def test_it_only_shrinks(hbspec, known):
    first = known.read_text()
    update = ("check", "job.yaml", "--baseline", "kept/known.json", "--update-baseline")
    assert hbspec(*update, "--set", "budget.max_cost=0.01 USD")[0] == 1
    assert "HB303" not in known.read_text()
    known.write_text(first)
    assert hbspec(*update, "--set", "data.train.examples=2000")[0] == 0
    assert len(known.read_text()) < len(first)


def test_what_has_become_more_severe_is_new(hbspec, known):
    (hbspec.folder / "hbspec.toml").write_text('severity = {HB218 = "error"}\n')
    check = ("check", "job.yaml", "--baseline", "kept/known.json")
    assert hbspec(*check)[0] == 1
    assert hbspec(*check, "--update-baseline")[0] == 1
    assert "HB218" not in known.read_text()


def test_what_has_become_less_severe_is_known_as_that(hbspec, known):
    (hbspec.folder / "hbspec.toml").write_text('severity = {HB218 = "note"}\n')
    check = ("check", "job.yaml", "--baseline", "kept/known.json")
    assert "HB218" not in hbspec(*check)[1]
    assert hbspec(*check, "--update-baseline")[0] == 0
    (hbspec.folder / "hbspec.toml").unlink()
    assert "warning[HB218]" in hbspec(*check)[1]


def test_a_spec_that_cannot_be_read_is_never_known(hbspec):
    (hbspec.folder / "bad.yaml").write_text("hbspec: 1\nnames: x\n")
    code, out, _ = hbspec("check", "bad.yaml", "--baseline", "known.json", "--update-baseline")
    assert (code, "HB020" in out) == (1, True)
    assert json.loads((hbspec.folder / "known.json").read_text())["findings"] == []


def test_the_configuration_names_it(hbspec, known):
    (hbspec.folder / "hbspec.toml").write_text('baseline = "kept/known.json"\n')
    assert "in the baseline" in hbspec("check", "job.yaml")[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{\n  x", "known.json:2:3"),
        ('{"format_version": 1, "findings": []}', "has the format version 1, not 2"),
        ("[]", "has the format version None, not 2"),
        ('{"format_version": 2, "findings": [{"file": "a"}]}', "are not a list of file, code, route, severity and"),
        (ENTRY % ("HB109", "fatal"), "are not a list of file, code, route, severity and"),
        (ENTRY % ("HB605", "error"), "lists HB605, which is always reported"),
        ("\udcff", "is not JSON in UTF-8"),
    ],
)
def test_what_is_not_a_baseline_is_said(hbspec, text, said):
    (hbspec.folder / "known.json").write_bytes(text.encode(errors="surrogateescape"))
    code, _, err = hbspec("check", "job.yaml", "--baseline", "known.json", COLUMNS="200")
    assert (code, said in err) == (2, True), err


def test_misuse_is_said(hbspec):
    assert hbspec("check", "job.yaml", "--update-baseline")[0] == 2
    assert "cannot be read" in hbspec("check", "job.yaml", "--baseline", "none.json", COLUMNS="200")[2]
