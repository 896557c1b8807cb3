"""Fixes applied to a text: what is kept, what is refused, and the laws that hold for every fix."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from hbspec.api import check, estimate
from hbspec.cli.first_spec import STARTER
from hbspec.diagnostics import Diagnostic, Fix, Report, Severity
from hbspec.fixes.fixing import Fixed, fixed
from hbspec.source import load

AS_OF = date(2026, 11, 24)
TEXT = STARTER.read_text(encoding="utf-8")
SILENT = {
    "max_wait": ("instance:", "instance:\n  max_wait: 9h # never"),
    "volume": ("instance:", "instance:\n  volume: 900 GB"),
}
"""Keys without effect in a job like the starter, each with where it is put in."""


def fix_file(file: Path, *, unsafe: bool = False) -> Fixed:
    return fixed_by(file, lambda text: check(file, text=text, as_of=AS_OF), unsafe=unsafe)


def fixed_by(file: Path, judge, **options) -> Fixed:
    return fixed(file.read_text(), lambda: load(file), judge, **options)


def places(report: Report) -> set:
    return {(entry.code, entry.route) for entry in report.diagnostics}


@pytest.fixture
def spec(tmp_path):
    """A file with the starter and some keys more."""

    def write(*names: str, **replaced: str) -> Path:
        text = TEXT
        for name in names:
            text = text.replace(*SILENT[name], 1)
        for old, new in replaced.items():
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "job.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "job.yaml"

    return write


def test_what_has_no_effect_goes_and_nothing_else_changes(spec):
    file = spec("max_wait")
    found = fix_file(file)
    assert found.after == TEXT
    assert [one.finding.code for one in found.applied] == ["HB316"]
    assert file.read_text() == found.before != found.after


def test_several_are_fixed_together_and_in_one_judgement(spec):
    file, judged = spec("max_wait", "volume"), []

    def judge(text: str) -> Report:
        judged.append(text)
        return check(file, text=text, as_of=AS_OF)

    found = fixed_by(file, judge)
    assert found.after == TEXT
    assert judged == [found.before, TEXT]


def test_fixing_twice_is_fixing_once(spec):
    file = spec("max_wait", "volume", method="methd", qlora="qlor")
    found = fix_file(file, unsafe=True)
    file.write_text(found.after)
    assert fix_file(file, unsafe=True)[1:3] == (found.after, ())


def test_a_fixed_file_has_only_findings_that_it_had(spec):
    found = fix_file(spec("max_wait", "volume"))
    before = check(spec("max_wait", "volume"), as_of=AS_OF)
    assert places(found.report) < places(before)


@pytest.mark.parametrize("name", ["max_wait", "volume"])
def test_what_a_safe_fix_does_not_mention_is_estimated_as_before(spec, name):
    file = spec(name)
    before = estimate(file, as_of=AS_OF).to_dict()
    file.write_text(fix_file(file).after)
    assert estimate(file, as_of=AS_OF).to_dict() == before


class TestUnsafe:
    def test_a_guess_is_made_only_where_it_is_asked_for(self, spec):
        file = spec(adamw="adamw_toch") if "adamw" in TEXT else spec(qlora="qlor")
        assert fix_file(file).applied == ()
        (one,) = fix_file(file, unsafe=True).applied
        assert not one.fix.safe

    def test_keys_and_claims_are_renamed_where_they_stand(self, spec):
        file = spec(
            "max_wait", lora_alpha="lora_alhpa", max_length="max_lenght", **{"training.epochs": "training.epoch"}
        )
        found = fix_file(file, unsafe=True)
        assert found.after == TEXT
        assert [one.finding.code for one in found.applied] == ["HB020", "HB020", "HB316", "HB403"]

    def test_what_the_rules_find_once_they_can_be_asked_is_not_the_fix_s(self, spec):
        file = spec(
            "max_wait", lora_alpha="lora_alhpa", **{"examples: 2000": "examples: 3", "ml.g5.2xlarge": "ml.g5.2xlarg"}
        )
        found = fix_file(file, unsafe=True)
        assert [one.finding.code for one in found.applied] == ["HB020", "HB316", "HB112"]
        assert {entry.code for entry in found.report.diagnostics} >= {"HB218"}
        assert found.left == ()


class Findings:
    """A judge that says what a test wants, by the text."""

    def __init__(self, *by_text):
        self.by_text = by_text

    def __call__(self, text: str) -> Report:
        found = [one for part, many in self.by_text if part in text for one in many]
        return Report(files=("job.yaml",), diagnostics=tuple(found))


def finding(code, route, *fixes):
    return Diagnostic(code, code.lower(), Severity.WARNING, "certain", "job.yaml", route, None, "m", "h", fixes)


class TestKept:
    NAME = ("name",)
    TO_B = Fix("b", NAME, "b", safe=True)

    def at(self, tmp_path, *by_text) -> Fixed:
        (tmp_path / "job.yaml").write_text("name: a # c\nother: a\n")
        return fixed_by(tmp_path / "job.yaml", Findings(*by_text))

    def test_a_fix_that_mends(self, tmp_path):
        found = self.at(tmp_path, ("name: a", [finding("HB901", self.NAME, self.TO_B)]))
        assert found.after == "name: b # c\nother: a\n"

    def test_a_fix_after_which_the_finding_stays_is_not_kept(self, tmp_path):
        found = self.at(tmp_path, ("", [finding("HB901", self.NAME, self.TO_B)]))
        assert (found.after, found.left[0].reason) == (found.before, "HB901 stays")

    def test_a_fix_that_brings_another_is_not_kept(self, tmp_path):
        brings = ("name: b", [finding("HB902", ())])
        found = self.at(tmp_path, ("name: a", [finding("HB901", self.NAME, self.TO_B)]), brings)
        assert (found.after, found.left[0].reason) == (found.before, "HB902 would come")

    def test_of_several_those_that_mend_are_kept(self, tmp_path):
        stays = finding("HB902", ("other",), Fix("b", ("other",), "b", safe=True))
        found = self.at(tmp_path, ("name: a", [finding("HB901", self.NAME, self.TO_B)]), ("", [stays]))
        assert found.after == "name: b # c\nother: a\n"
        assert [one.finding.code for one in found.left] == ["HB902"]

    def test_two_fixes_of_one_key_are_tried_one_after_the_other(self, tmp_path):
        other = finding("HB902", self.NAME, Fix("c", self.NAME, "c", safe=True))
        found = self.at(tmp_path, ("name: a", [finding("HB901", self.NAME, self.TO_B), other]))
        assert found.after == "name: b # c\nother: a\n"

    def test_fixes_that_meet_in_the_text_are_applied_one_after_the_other(self, tmp_path):
        (tmp_path / "job.yaml").write_text("name: {a: 1, b: 2, c: 3} # c\n")
        routes = ("name", "a"), ("name", "b")
        one, other = (finding(f"HB90{n}", route, Fix("d", route, safe=True)) for n, route in enumerate(routes))
        found = fixed_by(tmp_path / "job.yaml", Findings(("a: 1", [one]), ("b: 2", [other])))
        assert (found.after, len(found.applied)) == ("name: {c: 3} # c\n", 2)

    def test_one_fix_makes_another_possible(self, tmp_path):
        second = finding("HB902", ("other",), Fix("b", ("other",), "b", safe=True))
        first = finding("HB901", self.NAME, self.TO_B)
        found = self.at(tmp_path, ("name: a", [first, second._replace(fixes=())]), ("b # c\nother: a", [second]))
        assert found.after == "name: b # c\nother: b\n"

    def test_a_choice_is_the_author_s(self, tmp_path):
        several = finding("HB901", self.NAME, self.TO_B, Fix("c", self.NAME, "c", safe=True))
        assert self.at(tmp_path, ("name: a", [several])).applied == ()

    def test_a_value_of_another_file_is_not_changed(self, tmp_path):
        (tmp_path / "base.yaml").write_text("name: a\n")
        (tmp_path / "job.yaml").write_text("extends: ./base.yaml\n")
        judge = Findings(("", [finding("HB901", self.NAME, self.TO_B)]))
        (left,) = fixed_by(tmp_path / "job.yaml", judge).left
        assert "base.yaml" in left.reason

    def test_a_value_that_an_alias_shares_is_not_changed(self, tmp_path):
        (tmp_path / "job.yaml").write_text("name: &x a\nother: *x\n")
        (left,) = fixed_by(tmp_path / "job.yaml", Findings(("", [finding("HB901", self.NAME, self.TO_B)]))).left
        assert left.reason
