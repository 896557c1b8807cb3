"""The README: its first screen, and its library example, which is run."""

from __future__ import annotations

import doctest

import pytest
from documentation import ROOT, blocks, spec_of_readme

from hbspec.api import check, compile_spec

README = ROOT / "README.md"


def test_the_library_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "support-bot.yaml").write_text(spec_of_readme())
    [text] = blocks(README, "pycon")
    example = doctest.DocTestParser().get_doctest(text, {}, "README.md", str(README), 0)
    failures: list[str] = []
    result = doctest.DocTestRunner().run(example, out=failures.append)
    assert result.attempted >= 6
    assert not result.failed, "".join(failures)


def test_the_spec_has_ten_lines():
    assert len(spec_of_readme().splitlines()) == 10


@pytest.mark.parametrize("day", ["2020-01-01", "2040-01-01"])
def test_the_first_screen_does_not_age(tmp_path, day):
    """Its one finding is about arithmetic, so `make docs-check` passes on any day."""
    from datetime import date

    path = tmp_path / "support-bot.yaml"
    path.write_text(spec_of_readme())
    assert [entry.code for entry in check(path, as_of=date.fromisoformat(day)).diagnostics] == ["HB401"]


def test_what_it_says_to_change_compiles(tmp_path):
    path = tmp_path / "support-bot.yaml"
    path.write_text(spec_of_readme())
    assert compile_spec(path, overrides=["hyperparameters.gradient_accumulation_steps=8"])


def test_the_exception_of_the_library_is_exported() -> None:
    import pickle

    from hbspec import InvalidSpecError, check, estimate

    with pytest.raises(InvalidSpecError) as invalid:
        estimate({"hbspec": 2})
    assert pickle.loads(pickle.dumps(invalid.value.report)) == invalid.value.report == check({"hbspec": 2})
