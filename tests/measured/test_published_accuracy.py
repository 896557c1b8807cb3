"""The published measurements, where they lie beside the repository, and the page that shows how near estimates are."""

from __future__ import annotations

import re

import pytest
from accounting import accounts_for
from made_rows import INFERENCE, PUBLISHED, ROOT, TRAINED
from measured import product, served_score
from measured.fitted import fit, left_out, observed, recorded
from measured.fitting import KINDS
from measured.judged import judge
from measured.row import read_rows
from measured.score import score
from measured.served_fit import fitted_engine, fitted_served
from measured.speed import observations
from measured.table import lines

from hbspec.estimators.constants import MEMORY, STEP

TABLES = [
    PUBLISHED.with_name(f"measured_{name}.csv") for name in ("training", "training_2", "inference", "inference_2")
]
TITLES = ["slices", "slices of speed", "the widest tenth of the intervals", "by source"]


@pytest.fixture(scope="module")
def page():
    """The blocks of the page that show what the command prints."""
    text = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8").partition("## Endpoints")[0]
    return re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def needs_the_rows(test):
    """Runs a test with `--long`, where the published rows lie beside the repository."""
    here = all(path.exists() for path in TABLES)
    return pytest.mark.long(pytest.mark.skipif(not here, reason="the published rows are elsewhere")(test))


@pytest.fixture(scope="module")
def scored():
    """All rows beside their estimates, and the score, as the command makes them."""
    entries = judge(read_rows(TABLES), left_out(recorded()))
    return entries, score(entries)


def test_the_page_shows_every_section(page):
    names = {line.split("  ")[0] for line in page[0].splitlines()[3:]}
    assert {"peak_allocated", "tokens/s a GPU", "decode tokens/s", "serving_memory", "out of memory"} <= names
    assert [block.partition("\n")[0] for block in page[1:]] == TITLES


@needs_the_rows
def test_the_page_says_what_is_printed(page, scored):
    sections = "\n".join(lines(*scored)).split("\n\n")
    printed = ["\n\n".join(sections[:2]), *(found for found in sections if found.startswith(tuple(TITLES)))]
    assert [block.rstrip() for block in page] == [section.rstrip() for section in printed]


@needs_the_rows
def test_no_row_is_left_out(scored):
    accounts_for(*scored)


@needs_the_rows
def test_the_constants_are_those_that_the_published_rows_give():
    found, kept = observed(read_rows([PUBLISHED, INFERENCE])), recorded()
    found = found._replace(speed=observations(read_rows(TRAINED)))
    assert [[one.id for one in observations] for observations in found] == [[one.id for one in kind] for kind in kept]
    constants = fit(found)
    for kind in KINDS:
        for end in ("low", "expected", "high"):
            assert abs(getattr(getattr(constants.memory, kind), end) - getattr(getattr(MEMORY, kind), end)) < 0.03
    for name in ("products", "attention", "crossings", "unpacking"):
        assert getattr(constants.step, name) == pytest.approx(getattr(STEP, name), rel=0.05)


def test_constants_are_those_of_three_sources_or_more():
    assert all(len({one.source for one in observations}) >= 3 for observations in recorded())


@pytest.mark.long
def test_the_page_says_what_is_printed_of_endpoints():
    of_endpoints = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8").partition("## Endpoints")[2]
    (block,) = re.findall(r"^```text\n(.*?)^```$", of_endpoints, re.MULTILINE | re.DOTALL)
    printed = served_score.lines(product.judged(fitted_engine, fitted_served), errors=False)
    assert block.splitlines() == list(printed)
