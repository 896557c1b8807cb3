"""Annotations: one line each, whatever a message holds."""

from __future__ import annotations

from hbspec.diagnostics import Position, Report
from hbspec.render.github import github_lines

from .conftest import BUDGET, NOTE, WHOLE


def lines(*diagnostics):
    return list(github_lines(Report(files=("x",), diagnostics=diagnostics)))


def test_an_error():
    assert lines(BUDGET) == [
        "::error title=HB131 runtime-over-budget,file=specs/seed.yaml,line=112,endLine=112,col=13,endColumn=19::"
        "16.0 h at 36.00 CAD/h may spend 576.00 CAD, the budget is 525.00 CAD%0Ahelp: set instance.max_runtime: 14h\n"
    ]


def test_a_note_is_a_notice_on_one_line():
    (line,) = lines(NOTE._replace(message="50 %\r\n::error::"))
    assert line.startswith("::notice ")
    assert line.count("\n") == 1
    assert "50 %25␍␊::error::" in line


def test_a_file_name_cannot_add_properties():
    span = BUDGET.span._replace(file="a,line=1:b")
    assert "file=a%2Cline=1%3Ab,line=112" in lines(BUDGET._replace(span=span))[0]


def test_several_lines_have_no_columns():
    (line,) = lines(BUDGET._replace(span=BUDGET.span._replace(end=Position(114, 3))))
    assert "line=112,endLine=114::" in line


def test_a_file_as_a_whole():
    assert lines(WHOLE) == ["::error title=HB015 unreadable-file::`x` does not exist%0Ahelp: name a file\n"]
