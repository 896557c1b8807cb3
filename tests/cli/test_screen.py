"""What commands print on a terminal of 80 columns and 40 lines, and in a pipe."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path

import pytest

from hbspec.api import check
from hbspec.cli import main
from hbspec.diagnostics import Severity
from hbspec.render.report import report_lines
from hbspec.render.short_report import short_report_lines

SPECS = Path(__file__).parents[2] / "specs"
WRITTEN, RIGHT = (str(SPECS / f"heartbeat{name}.yaml") for name in ("-as-written", ""))


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "40")
    monkeypatch.setenv("TERM", "dumb")

    def run(*words, stream=Terminal):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stream())
            main([*words])
            return sys.stdout.getvalue().splitlines()

    return run


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("check", WRITTEN), "15 errors, "),
        (("check", RIGHT, WRITTEN), "15 errors, "),
        (("compare", RIGHT, WRITTEN), "more lines: add --full"),
        (("estimate", RIGHT), "more lines: add --full"),
    ],
)
def test_a_result_fits_on_the_screen_and_the_rest_is_one_option_away(words, says, screen):
    short, full, piped = screen(*words), screen(*words, "--full"), screen(*words, stream=StringIO)
    assert 20 < len(short) <= 38
    assert says in short[-1]
    assert "--full" in "".join(short[-2:])
    assert len(full) > 40
    assert full == piped


def test_a_comparison_of_three_says_first_what_fits_and_what_it_costs(screen):
    others = [str(SPECS / f"{name}.yaml") for name in ("heartbeat-optimized", "llama-3.3-70b-as-planned")]
    shown = screen("compare", RIGHT, *others)
    assert len(shown) <= 38
    verdict, cost = shown.index("Verdict"), shown.index("Cost")
    assert [line[2] for line in shown[verdict + 1 : verdict + 4]] == ["A", "B", "C"]
    assert [line[2] for line in shown[cost + 1 : shown.index("", cost)] if line[2].strip()] == ["A", "B", "C"]
    (unfair,) = [number for number, line in enumerate(shown) if line.startswith("Not like with like: they train ")]
    (advice,) = [number for number, line in enumerate(shown) if line.startswith("A, B fit within their limits")]
    assert advice < unfair < verdict < cost


def test_what_fits_is_printed_whole(screen):
    assert screen("check", RIGHT) == screen("check", RIGHT, "--full")


def test_a_spec_without_errors_says_what_may_be_done_next(screen):
    assert screen("check", RIGHT)[-1] == f"next: hbspec estimate {RIGHT}"
    for words in (("check", WRITTEN), ("check", RIGHT, "--quiet"), ("check", RIGHT, "--set", "hyperparameters.seed=1")):
        assert not [line for line in screen(*words) if line.startswith("next:")]
    assert not [line for line in screen("check", RIGHT, stream=StringIO) if line.startswith("next:")]


def test_formats_for_programs_are_whole_on_a_terminal(screen):
    words = ("check", WRITTEN, "--format", "json")
    assert screen(*words) == screen(*words, stream=StringIO)


@pytest.mark.parametrize("room", [1, 8, 20, 39, 100])
def test_errors_come_first_and_what_is_left_out_is_counted(room):
    report = check(WRITTEN)
    lines = ["".join(text for _, text in line) for line in short_report_lines(report, 80, room)]
    heads = [line for line in lines if f"{SPECS}" in line]
    severities = [severity for line in lines for severity in Severity if f" {severity.value}[HB" in line]
    assert severities == sorted(severities, key=list(Severity).index)
    assert len(heads) >= 1
    assert len(lines) <= room or len(heads) == 1
    left = len(report.diagnostics) - len(heads)
    assert (f"and {left} more findings, the errors first: add --full" in lines) == (left > 0)


def test_only_errors_are_left_out_quietly():
    report = check(WRITTEN)
    lines = ["".join(text for _, text in line) for line in short_report_lines(report, None, 10**6, quiet=True)]
    whole = ["".join(text for _, text in line) for line in report_lines(report, quiet=True)]
    assert [line for line in lines if "error[" in line] == [line for line in whole if "error[" in line]
    assert lines[-1] == "--full shows each line of the spec"
