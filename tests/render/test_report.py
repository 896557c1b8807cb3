"""The text of a report, letter by letter."""

from __future__ import annotations

import io
import os
import pty
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.diagnostics import Report
from hbspec.render.lines import cells, width_of, wrapped
from hbspec.render.paint import write
from hbspec.render.report import clipped, diagnostic_lines, report_lines
from hbspec.showing import printable

from .conftest import BUDGET, IDLE, WHOLE


def text(lines):
    stream = io.StringIO()
    write(lines, stream)
    return stream.getvalue()


# ruff: noqa: E501 - a terminal's lines are as long as they are
WIDE = """\
specs/seed.yaml:2:1: error[HB021] missing-key: model.id is missing
  |
2 | model: {license: mit}
  | ^^^^^
  = help: add model.id

specs/seed.yaml:8:9: note[HB305] price-derived: a ␛[31mred␇ price
  |
8 |   type: ml.p4d.24xlarge
  |         ^^^^^^^^^^^^^^^
  = help: do␊read

specs/seed.yaml:9:16: warning[HB101] idle-gpus (likely): pipeline runs one of 8 GPUs at a time: 7 are paid for and idle
  |
9 |   parallelism: pipeline                          # one process, layers split over the GPUs
  |                ^^^^^^^^
  = help: use parallelism: ddp with gradient_accumulation_steps: 4: the same batch in about 1/8 of the time

specs/seed.yaml:112:13: error[HB131] runtime-over-budget: 16.0 h at 36.00 CAD/h may spend 576.00 CAD, the budget is 525.00 CAD
    |
112 |   max_cost: 525 CAD
    |             ^^^^^^^
    = help: set instance.max_runtime: 14h

skipped: HB150 (not known: the GPU)
skipped: HB140, HB210 (not known: the price)
2 errors, 1 warning, 1 note (2 allowed, 3 rules skipped)
"""

NARROW = """\
specs/seed.yaml:9:16: warning[HB101]
    idle-gpus (likely): pipeline runs
    one of 8 GPUs at a time: 7 are paid
    for and idle
  |
9 |   parallelism: pipeline            …
  |                ^^^^^^^^
  = help: use parallelism: ddp with
      gradient_accumulation_steps: 4:
      the same batch in about 1/8 of the
      time
"""


def test_in_a_pipe(report):
    assert text(report_lines(report)) == WIDE


def test_on_forty_columns():
    assert text(diagnostic_lines(IDLE, 40)) == NARROW


def test_quiet_says_errors_and_nothing_else(report):
    shown = text(report_lines(report, quiet=True))
    assert "HB021" in shown
    assert "HB131" in shown
    assert not re.search(r"HB101|HB305|2 errors|skipped", shown)


def test_a_clean_report():
    assert text(report_lines(Report(files=("a.yaml",), diagnostics=()))) == "no errors\n"


def test_several_files_are_counted():
    report = Report(files=("a.yaml", "b.yaml"), diagnostics=(BUDGET,))
    assert text(report_lines(report)).endswith("\n1 error in 2 files\n")


def test_a_file_as_a_whole_has_no_excerpt():
    assert text(diagnostic_lines(WHOLE)) == (
        "specs/seed.yaml: error[HB015] unreadable-file: `x` does not exist\n  = help: name a file\n"
    )


def test_a_terminal_gets_colour_and_the_same_text(report, monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    shown = on_a_terminal(report_lines(report))
    assert "\x1b[1;31merror[HB021]\x1b[0m" in shown
    assert re.sub(r"\x1b\[[\d;]*m", "", shown) == WIDE


def test_no_color(report, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert not re.search(r"\x1b\[[\d;]*3\d", on_a_terminal(report_lines(report)))


def on_a_terminal(lines):
    outer, inner = pty.openpty()
    with os.fdopen(inner, "w", encoding="utf-8") as stream:
        write(lines, stream)
        stream.flush()
        shown = b""
        while not shown.endswith(b"skipped)\r\n"):
            shown += os.read(outer, 65536)
    os.close(outer)
    return shown.decode().replace("\r\n", "\n")


WORDS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Z")), min_size=1, max_size=12).map(printable)
)


@given(WORDS, st.integers(12, 60), st.integers(0, 8))
def test_folding_loses_nothing_and_keeps_to_the_width(words, width, indent):
    line = tuple(("", word if not number else f" {word}") for number, word in enumerate(words))
    folded = list(wrapped(line, width, indent))
    assert text(folded).split() == words
    for row in folded:
        said = "".join(text for _, text in row).split()
        assert width_of(row) <= width or len(said) == 1


@given(st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), min_size=1, max_size=80), st.data())
def test_a_clipped_excerpt_still_shows_the_place(shown, data):
    width = data.draw(st.integers(8, 60))
    before = data.draw(st.integers(0, len(shown) - 1))
    marked = data.draw(st.integers(1, len(shown) - before))
    piece, offset, count = clipped(shown, before, marked, width)
    assert cells(piece) <= width or piece == shown
    assert 0 <= offset < len(piece)
    assert offset + count <= len(piece)
    first = piece[offset]
    assert first in (shown[before], "…")
    if marked < width - 1:
        assert count == marked


@pytest.mark.parametrize("sign", ["模", "\uff21"])
def test_carets_stand_below_wide_characters(sign):
    wide = IDLE._replace(
        excerpt=f"  parallelism: {sign * 2}ipeline",
        span=IDLE.span._replace(end=IDLE.span.end._replace(column=18)),
    )
    rows = [("".join(t for _, t in row)) for row in diagnostic_lines(wide)]
    assert rows[3] == "  |                ^^^^"
