"""What is said after a rehearsal."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

from hbspec.render.paint import write
from hbspec.render.rehearsal import rehearsal_lines
from hbspec.smoke import Comparison

REHEARSAL = SimpleNamespace(
    folder=Path("build/x/smoke"),
    run={"first_loss": 7.67146, "last_loss": 7.65699},
    comparisons=[Comparison("ranks", 2, 2), Comparison("examples of an epoch", 1758, 1759)],
    unproven=["speed, and with it time and cost"],
    synthetic=True,
)


def text(rehearsal):
    stream = io.StringIO()
    write(rehearsal_lines(rehearsal), stream)
    return stream.getvalue()


def test_what_agrees_what_does_not_and_what_was_not_proven():
    assert (
        text(REHEARSAL)
        == """
Loss: 7.671 at the first update, 7.657 at the last

Counted as planned
  yes  ranks: 2
  NO   examples of an epoch: 1,759 counted, 1,758 planned

Not proven
  speed, and with it time and cost

Files
  trained on  a synthetic sample
  written to  build/x/smoke
"""
    )


def test_no_loss_is_no_number():
    assert "Loss: not logged\n" in text(SimpleNamespace(**{**vars(REHEARSAL), "run": {"first_loss": None}}))
