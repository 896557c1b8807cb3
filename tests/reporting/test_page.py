"""The page of a report: its structure, what it may not hold, and what an author cannot make of it."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from itertools import pairwise

from hbspec.reporting.page import page, text
from reporting.conftest import FILE, SECRET, SPEC


def test_headings_are_in_order_below_one_title(tree):
    levels = [int(one.tag[1]) for one in tree.every("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_landmarks(tree):
    assert [len(list(tree.every(tag))) for tag in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    assert next(tree.every("html")).attributes["lang"] == "en"
    labels = [one.attributes["aria-labelledby"] for one in tree.every("section")]
    assert len(labels) == len(set(labels))


def test_ids_are_unique_and_whatever_refers_to_one_finds_it(tree):
    ids = [one.attributes["id"] for one in tree.every() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    targets = [one.attributes["aria-labelledby"] for one in tree.every() if "aria-labelledby" in one.attributes]
    targets += [one.attributes["href"].removeprefix("#") for one in tree.every("a")]
    assert set(targets) <= set(ids)
    assert next(one.attributes["href"] for one in tree.every("a")) == "#content"


def test_a_table_has_a_caption_and_its_headings_a_scope(tree):
    tables = list(tree.every("table"))
    for table in tables:
        assert [child.tag for child in table.children if not isinstance(child, str)] == ["caption", "thead", "tbody"]
        rows = list(table.every("tr"))
        assert len({len(list(row.every("th", "td"))) for row in rows}) == 1
        assert [one.attributes["scope"] for one in rows[0].every("th")] == ["col"] * len(list(rows[0].every("th")))
        assert all([one.attributes["scope"] for one in row.every("th")] == ["row"] for row in rows[1:])
    assert len(tables) > 8


def test_a_chart_is_described_and_its_table_follows(tree):
    figures = list(tree.every("figure"))
    assert len(figures) == 6
    for section in tree.every("section"):
        blocks = [one for one in section.children if not isinstance(one, str)]
        for figure, after in pairwise(blocks):
            if figure.tag == "figure":
                assert next(figure.every("svg")).attributes["aria-hidden"] == "true"
                assert len(next(figure.every("figcaption")).text()) > 40
                assert next(after.every("table"))


def test_nothing_runs_and_nothing_is_loaded(tree, html):
    assert {one.tag for one in tree.every()} <= {
        *("html", "head", "meta", "title", "style", "body", "header", "nav", "main", "footer", "section", "div", "h1"),
        *("h2", "h3", "p", "a", "ol", "li", "strong", "figure", "figcaption", "table", "caption", "thead", "tbody"),
        *("tr", "th", "td", "svg", "g", "path", "line", "text", "rect"),
    }
    names = {name for one in tree.every() for name in one.attributes}
    assert not names & {"style", "src", "srcset", "data", "action", "xlink:href", "background", "ping"}
    assert not [name for name in names if name.startswith("on")]
    assert all(one.attributes["href"].startswith("#") for one in tree.every() if "href" in one.attributes)
    assert not re.findall(r"@import|url\(", html)


def test_the_policy_allows_the_style_sheet_of_the_page_and_nothing_else(tree):
    (policy,) = [one.attributes["content"] for one in tree.every("meta") if "http-equiv" in one.attributes]
    digest = b64encode(sha256(next(tree.every("style")).text().encode()).digest()).decode()
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_what_an_author_wrote_is_text(tree, html):
    assert next(tree.every("h1")).text() == SPEC["name"]
    assert FILE in next(tree.every("main")).text()
    assert SECRET not in html
    assert "<b>no such hf_*****" in next(tree.every("main")).text()
    assert text("a\x1b[31m\u202eb<i>'\"&") == "a␛[31m\ufffdb&lt;i&gt;&#x27;&quot;&amp;"


def test_colours_of_charts_are_those_of_the_style_sheet(tree):
    sheet = next(tree.every("style")).text()
    used = {value for one in tree.every() for name, value in one.attributes.items() if name in ("fill", "stroke")}
    assert {value for value in used if value and "var(" not in value} <= {"none", "transparent"}
    assert all(f"{name}:" in sheet for value in used for name in re.findall(r"var\((--[\w-]+)\)", value or ""))


def test_the_same_bytes_each_time(report, html):
    assert page(report) == html
