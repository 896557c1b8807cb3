"""What follows from a finding is named with it in every format."""

from __future__ import annotations

import io

from hbspec.diagnostics import Report
from hbspec.render.github import github_lines
from hbspec.render.paint import write
from hbspec.render.report import report_lines
from hbspec.render.sarif import sarif

from .conftest import BUDGET

FOLLOWED = BUDGET._replace(also=(("HB402", ("expect", "training.cost")), ("HB305", ("evaluation", 0, "suite"))))
NAMED = "also: expect.training.cost (HB402), evaluation[0].suite (HB305)"
REPORT = Report(files=("specs/seed.yaml",), diagnostics=(FOLLOWED,))


def test_in_text():
    stream = io.StringIO()
    write(report_lines(REPORT), stream)
    assert f"    = {NAMED}\n" in stream.getvalue()


def test_in_annotations():
    (line,) = github_lines(REPORT)
    assert line.endswith(f"%0A{NAMED}\n")


def test_in_sarif():
    (result,) = sarif(REPORT, lambda _: None)["runs"][0]["results"]
    assert result["message"]["text"].endswith(f"\n{NAMED}")


def test_in_json():
    assert FOLLOWED.to_dict()["also"] == [
        {"code": "HB402", "route": ["expect", "training.cost"]},
        {"code": "HB305", "route": ["evaluation", 0, "suite"]},
    ]
