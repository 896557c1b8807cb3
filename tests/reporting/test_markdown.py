"""The report as Markdown: the same contents, with tables that a renderer reads and no markup of an author's."""

from __future__ import annotations

import re

import pytest

from hbspec.reporting.chapter import Listing
from hbspec.reporting.markdown import markdown
from reporting.conftest import SECRET


@pytest.fixture(scope="module")
def lines(report):
    return markdown(report).splitlines()


def test_every_chapter_and_table_is_there(report, lines):
    assert [line[3:] for line in lines if line.startswith("## ")] == [one.title for one in report.chapters]
    rules = [line for line in lines if re.fullmatch(r"\|( --- \|)+", line)]
    tables = [block for one in report.chapters for block in one.blocks if isinstance(block, Listing)]
    assert [rule.count("---") for rule in rules] == [len(table.headings) for table in tables]


def test_rows_have_as_many_cells_as_their_table_has_columns(lines):
    tables = re.findall(r"(?:^\|.*\n)+", "\n".join(lines) + "\n", re.MULTILINE)
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1
    assert len(tables) > 8


def test_what_an_author_wrote_is_text(lines):
    assert lines[1] == "# &lt;script&gt;alert('x')&lt;/script&gt;"
    assert SECRET not in "\n".join(lines)
    assert not [line for line in lines[1:] if re.search(r"<(?!br>)", line)]
