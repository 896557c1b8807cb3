"""Whole specs: one planted mistake is one finding, and a good spec has no error.

The first line of a planted spec says what was planted, at which routes it may be reported (`expect:`), and which good
spec it was made from (`base:`): what that has too is no second finding.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import pytest

from hbspec.api import check
from hbspec.diagnostics import Diagnostic, route_text

HERE = Path(__file__).parent
AS_OF = date(2026, 11, 24)
PLANTED = {path.stem: path for path in sorted((HERE / "planted").glob("*.yaml"))}
GOOD = {path.stem: path for path in sorted((HERE / "good").glob("*.yaml"))}

NO_MISTAKE = {"108-spot-no-ckpt"}
"""A spot job that names no prefix of checkpoints has one of its own, and goes on from what the shipped script saves."""


@cache
def said(path: Path) -> tuple[Diagnostic, ...]:
    return check(path, as_of=AS_OF).diagnostics


def planted(name: str) -> tuple[list[str], Path]:
    """Where the mistake of a spec may be reported, and its base."""
    _, expected, base = PLANTED[name].read_text().partition("\n")[0].rsplit(" | ", 2)
    routes = expected.removeprefix("expect: ").split("|")
    return routes, GOOD[base.removeprefix("base: ")]


def added(name: str) -> list[Diagnostic]:
    """What a planted spec is told beyond its base."""
    known = {(entry.code, entry.route) for entry in said(planted(name)[1])}
    return [entry for entry in said(PLANTED[name]) if (entry.code, entry.route) not in known]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", sorted(PLANTED.keys() - NO_MISTAKE))
def test_one_mistake_is_one_finding_where_it_is(name):
    (found,) = added(name)
    assert route_text(found.route).startswith(tuple(planted(name)[0]))


@pytest.mark.parametrize("name", sorted(NO_MISTAKE))
def test_what_is_no_mistake_any_more_is_not_reported(name):
    assert added(name) == []


@pytest.mark.parametrize("name", GOOD)
def test_a_good_spec_has_no_error(name):
    assert [entry for entry in said(GOOD[name]) if entry.severity == "error"] == []
