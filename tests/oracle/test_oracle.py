"""The recorded traces are those of the installed libraries."""

from __future__ import annotations

import pytest

from oracle.case import parse
from oracle.grid import fast, whole
from oracle.record import recorded, stable, trace_of, versions

MADE, TRACES = recorded()


def test_the_installed_versions_are_the_recorded_ones():
    import torch  # noqa: F401 - one of them

    assert versions() == MADE, "trace again: make oracle ORACLE=--update"


def test_every_case_of_the_grid_is_recorded():
    assert set(TRACES) == set(whole())


@pytest.mark.one_in(15)
@pytest.mark.parametrize("case", fast(), ids=lambda case: case.text)
def test_a_case_traced_again_is_the_recorded_one(case):
    """All are recorded with the same libraries: what moves one of them moves most."""
    assert stable(trace_of(case)) == stable(TRACES[case])


def test_a_case_reads_back_from_its_text():
    assert [parse(case.text) for case in whole()] == whole()


def test_every_moment_is_the_largest_somewhere():
    moments = {entry["at"].partition(":")[0] for entry in TRACES.values()}
    assert moments >= {"loss", "backward", "end", "optimizer"}
