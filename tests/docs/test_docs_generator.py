"""The generator itself: what it finds stale, what it refuses, what a fragment becomes."""

from __future__ import annotations

import sys

import pytest
from documentation import TOOLS

from hbspec.rules.engine import all_rules

sys.path.insert(0, str(TOOLS))

import docs_fragments
import docs_pages
import generate_docs


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setattr(generate_docs, "ROOT", tmp_path)
    monkeypatch.setattr(generate_docs, "DOCS", tmp_path / "docs")
    return tmp_path


class TestCheck:
    def test_what_was_just_written_is_fresh(self, project):
        wanted = {project / "docs" / "rules" / "HB001.md": "one\n"}
        generate_docs.write(wanted)
        assert generate_docs.check(wanted)

    def test_a_changed_file_is_named_with_its_difference(self, project, capsys):
        path = project / "docs" / "rules" / "HB001.md"
        generate_docs.write({path: "one\n"})
        assert not generate_docs.check({path: "two\n"})
        said = capsys.readouterr().err
        assert "docs/rules/HB001.md" in said
        assert "-one\n+two" in said

    def test_a_missing_file_is_named(self, project, capsys):
        assert not generate_docs.check({project / "docs" / "rules" / "HB001.md": "one\n"})
        assert "docs/rules/HB001.md" in capsys.readouterr().err

    def test_a_page_of_no_code_is_named_and_then_removed(self, project, capsys):
        extra = project / "docs" / "rules" / "HB999.md"
        extra.parent.mkdir(parents=True)
        extra.write_text("gone")
        assert not generate_docs.check({})
        assert "docs/rules/HB999.md" in capsys.readouterr().err
        generate_docs.write({})
        assert not extra.exists()


class TestFragments:
    def test_files_are_there_for_the_commands_after_them(self):
        page = (
            "<!-- file: a.txt -->\n```text\nhello\n```\n<!-- end -->\n"
            "<!-- output: cat a.txt -->\nold\n<!-- end -->\n<!-- output: wc -l < a.txt -->\n<!-- end -->\n"
        )
        filled = docs_fragments.fill(page, "page.md", slow=True)
        assert "```console\n$ cat a.txt\nhello\n```\n<!-- end -->" in filled
        assert "$ wc -l < a.txt\n1\n" in filled
        assert "old" not in filled
        assert docs_fragments.fill(filled, "page.md", slow=True) == filled

    def test_the_specs_of_the_project_are_there_for_a_command_that_names_them(self):
        page = "<!-- output: head -1 specs/heartbeat.yaml -->\n<!-- end -->\n"
        assert "\n# The HeartBeat plan put right" in docs_fragments.fill(page, "page.md", slow=True)
        nothing = "<!-- output: ls -A | wc -l -->\n<!-- end -->\n"
        assert "$ ls -A | wc -l\n0\n" in docs_fragments.fill(nothing, "page.md", slow=True)

    def test_slow_commands_are_run_on_writing_only(self):
        page = "<!-- slow: echo new -->\nold\n<!-- end -->\n"
        assert docs_fragments.fill(page, "page.md", slow=False) == page
        assert "new" in docs_fragments.fill(page, "page.md", slow=True)

    @pytest.mark.parametrize("command", ["exit 2", "true", "no-such-command"])
    def test_a_command_that_fails_or_says_nothing_is_no_page(self, command):
        with pytest.raises(docs_fragments.PageError, match=r"page\.md"):
            docs_fragments.fill(f"<!-- output: {command} -->\n<!-- end -->\n", "page.md", slow=True)

    def test_an_unknown_kind_is_refused(self):
        with pytest.raises(docs_fragments.PageError, match="known kind"):
            docs_fragments.fill("<!-- ouput: true -->\n<!-- end -->\n", "page.md", slow=True)


def test_every_rule_has_a_page():
    pages = docs_pages.generated_pages()
    for module in all_rules():
        file, _, anchor = docs_pages.link(module.RULE.code).partition("#")
        assert f"\n## {anchor.upper()}\n" in pages[f"rules/{file}"]


def test_every_estimator_is_on_its_page():
    told = (generate_docs.DOCS / "estimators.md").read_text(encoding="utf-8")
    modules = (path.stem for path in (generate_docs.ROOT / "src/hbspec/estimate").glob("[a-z]*.py"))
    assert [name for name in modules if f"### `hbspec.estimators.{name}`" not in told] == []


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"type": "integer", "exclusiveMinimum": 0, "maximum": 1000}, "whole number, 1 to 1,000"),
        ({"type": "integer", "minimum": 0, "maximum": 10**12}, "whole number, 0 to 10¹²"),
        ({"type": "number", "exclusiveMinimum": 0}, "number, above 0"),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "number, at least 0, below 1"),
        ({"type": "string", "examples": ["40 GB"]}, "a size with its unit, `40 GB`"),
        ({"anyOf": [{"const": "all"}, {"type": "array", "items": {"type": "string"}}]}, "`all` or list of strings"),
    ],
)
def test_types_in_plain_words(form, words):
    assert docs_pages.kind(form) == words
