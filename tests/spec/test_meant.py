"""A misspelt key or word hides no other finding: the rest is judged as it would be with the right one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hbspec import check
from hbspec.source import load

BASE = Path(__file__).parents[1] / "rules" / "base.yaml"
TEXT = BASE.read_text(encoding="utf-8")
WRONG = "expect:\n  training.effective_batch_size: 33\n"


def judged(text: str, *overrides: str):
    return check(BASE, text=text, overrides=overrides).diagnostics


def places(text: str) -> list:
    return [(entry.code, entry.message, entry.span) for entry in judged(text)]


def test_what_else_is_wrong_is_found_beside_a_typo():
    text = TEXT.replace("hyperparameters:", "hyperparameterss:") + WRONG
    found = judged(text)
    assert [entry.code for entry in found] == ["HB020", "HB401"]
    assert found[0].help == "did you mean `hyperparameters`? The rest is judged with it"
    assert not found[1].fixes


def test_a_key_below_a_misspelt_section_is_judged_too():
    text = TEXT.replace("hyperparameters:", "hyperparameterss:").replace("learning_rate:", "learning_rat:")
    assert [entry.route for entry in judged(text)] == [("hyperparameterss",), ("hyperparameters", "learning_rat")]


def test_an_unknown_key_is_left_out():
    (typo, other) = judged(TEXT + WRONG, "instance.xyzzy=8")
    assert typo.help.endswith("; the rest is judged without the key")
    assert other.code == "HB401"


def test_a_key_that_is_there_keeps_its_value():
    (typo, other) = judged(TEXT + WRONG, "hyperparameters.learning_rates=5")
    assert typo.help == "did you mean `learning_rate`? The rest is judged without the key"
    assert other.code == "HB401"


def test_a_misspelt_word_is_judged_as_the_choice_it_resembles():
    (typo, other) = judged(TEXT + WRONG, "hyperparameters.method=qlorra")
    assert typo.help == "did you mean 'qlora'? The rest is judged with it"
    assert other.code == "HB401"


@pytest.mark.parametrize("override", ["hyperparameters.learning_rate=null", "hyperparameters.lora_r=many"])
def test_what_could_mean_anything_is_judged_alone(override: str):
    found = judged(TEXT + WRONG, override, "instance.xyzzy=8")
    assert {entry.code for entry in found} <= {"HB020", "HB021", "HB022"}
    assert "the rest" not in "".join(entry.help for entry in found)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("section", ["instance", "hyperparameters", "sagemaker", "data"])
def test_the_rest_is_what_is_found_with_the_right_key(section: str):
    """Every key of a section, with its last letter twice: the same findings at the same lines, and the typo."""
    wrong = TEXT + WRONG
    right = [(code, message) for code, message, _ in places(wrong)]
    spans = load(BASE, text=wrong).key_spans
    tried = 0
    for route, span in spans.items():
        if route[0] != section or len(route) != 2:
            continue
        lines = wrong.splitlines(keepends=True)
        line = lines[span.start.line - 1]
        end = span.end.column - 1
        lines[span.start.line - 1] = line[:end] + line[end - 1] + line[end:]
        found = places("".join(lines))
        typo = [entry for entry in found if entry[0] == "HB020"]
        if len(found) > len(typo):  # where the letter makes it certain what is meant
            assert [(code, message) for code, message, _ in found if code != "HB020"] == right, route
            tried += 1
    assert tried
