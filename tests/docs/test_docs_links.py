"""Links between pages lead somewhere, and nothing says where it was written."""

from __future__ import annotations

import re

import pytest
from documentation import PAGES, ROOT

LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """What GitHub makes of the headings."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page):
    text = page.read_text(encoding="utf-8")
    targets = [target for target in LINK.findall(CODE.sub("", text)) if "://" not in target]
    for target in targets:
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.is_relative_to(ROOT), target
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_a_machine(page):
    assert not re.search(r"(?<![\w.])/(?:work|tmp|home|root)/", page.read_text(encoding="utf-8"))


def test_every_page_is_in_the_index_or_a_manual_page():
    linked = {
        (PAGES[0].parent / "docs" / name).resolve() for name in LINK.findall((ROOT / "docs/index.md").read_text())
    }
    manual = {page for page in PAGES if page.parent.name == "rules"}
    assert set(PAGES) - manual - linked == {ROOT / "docs/index.md"}


def test_adding_a_rule_fits_on_one_screen():
    assert len((ROOT / "docs/adding-a-rule.md").read_text(encoding="utf-8").splitlines()) <= 60
