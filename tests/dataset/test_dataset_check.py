"""Everything that is wrong with a job's data, as findings and as diagnostics."""

from __future__ import annotations

from collections import Counter

import pytest
from made_data import REAL, chat, line, written

from hbspec.cli.data_check import report_of
from hbspec.dataset.check import check_data
from hbspec.dataset.files import data_files
from hbspec.dataset.profile import profile_data
from hbspec.dataset.tally import KEPT, KINDS, OTHER


def found(verdict):
    """From split and code to how many findings there are."""
    counts = Counter()
    for tally, split in verdict.tallies:
        counts[split.name, tally.defect.code] += tally.count
    return dict(counts)


def split(tmp_path, name, *lines):
    return written(tmp_path / f"{name}.jsonl", *lines)


def test_good_data_have_no_findings(tmp_path):
    training = split(tmp_path, "t", chat("q1", "a"), chat("q2", "a"))
    verdict = check_data(training, split(tmp_path, "v", chat("q3", "a")))
    assert found(verdict) == {}
    assert [(one.name, one.examples, one.broken) for one in verdict.splits] == [
        ("training", 2, 0),
        ("validation", 1, 0),
    ]


def test_one_of_each(tmp_path):
    training = split(
        tmp_path, "t", chat("q", "a"), "{", chat("q", "a"), line("user:q"), chat("q", ""), chat("q", "{factor1}"),
        line("user:q", "user:q", "assistant:a"),
    )  # fmt: skip
    validation = split(tmp_path, "v", chat("q", "a"), chat("q", "other"), chat("new", "a"), chat("new", "a"))
    assert found(check_data(training, validation)) == {
        ("training", "HB050"): 1,
        ("training", "HB052"): 1,
        ("training", "HB053"): 1,
        ("training", "HB054"): 1,
        ("training", "HB055"): 1,
        ("training", "HB058"): 1,
        ("validation", "HB055"): 1,
        ("validation", "HB056"): 1,
        ("validation", "HB057"): 2,
    }


def test_the_same_conversation_in_other_words_of_json_is_the_same(tmp_path):
    other = '{"id":7,"messages":[{"content":"q","role":"user"},{"content":"\\u0061","role":"assistant"}]}'
    assert found(check_data(split(tmp_path, "t", chat("q", "a"), other))) == {("training", "HB055"): 1}


def test_an_empty_prompt_is_shared_with_nobody(tmp_path):
    verdict = check_data(split(tmp_path, "t", line("assistant:a")), split(tmp_path, "v", line("assistant:b")))
    assert ("validation", "HB057") not in found(verdict)


@pytest.mark.parametrize("lines", [(), ("",)])
def test_a_split_without_examples(tmp_path, lines):
    full, empty = split(tmp_path, "t", chat("q", "a")), split(tmp_path, "v", *lines)
    assert found(check_data(empty)) == {("training", "HB051"): 1}
    assert found(check_data(full, empty)) == {("validation", "HB051"): 1}


def test_the_profile_of_other_data(tmp_path):
    data = split(tmp_path, "t", chat("q", "a"), chat("q", "b"))
    document = profile_data(data)[0].to_dict()
    own = ("p.json", document["examples"], document["digest"])
    assert found(check_data(data, profile=own)) == {}
    for other in (("p.json", 3, own[2]), ("p.json", 2, own[2][:-1] + "x")):
        ((tally, _),) = check_data(data, profile=other).tallies
        assert tally.defect.code == "HB060"
        assert tally.what.startswith("p.json ")
        assert "the training data" in tally.what


def test_what_is_alike_is_one_message_with_the_first_places(tmp_path):
    data = split(tmp_path, "t", *(chat(f"q{number}", "{name} {other}") for number in range(1200)))
    verdict = check_data(data)
    (tally,) = verdict.splits[0].tallies
    assert (tally.count, len(tally.places)) == (1200, KEPT)
    (diagnostic,) = report_of(verdict, ["t"]).diagnostics
    assert diagnostic.span.start.line == 1
    assert diagnostic.message == (
        "1,200 of 1,200 examples (lines 1, 2, 3, 4, 5, …): unfilled placeholders, {name}, {other}"
    )
    assert verdict.to_dict()["findings"][0]["names"] == {"{name}": 1200, "{other}": 1200}


def test_reasons_without_end_are_counted_together(tmp_path):
    lines = (f'{{"messages": [{{"role": "role{number}", "content": ""}}]}}' for number in range(KINDS + 30))
    tallies = list(check_data(split(tmp_path, "t", *lines)).splits[0].tallies)
    assert len(tallies) == KINDS + 1
    assert (tallies[-1].what, tallies[-1].count) == (OTHER, 30)


def test_places_in_several_files_name_them(tmp_path):
    files = (*split(tmp_path, "a", "{"), *split(tmp_path, "b", "["))
    (diagnostic, _) = report_of(check_data(files), ["a", "b"]).diagnostics
    assert diagnostic.file == f"{tmp_path}/a.jsonl"
    again = (*split(tmp_path, "c", "{"), *split(tmp_path, "d", "{"))
    (diagnostic,) = report_of(check_data(again), ["c", "d"]).diagnostics
    assert f"2 lines ({tmp_path}/c.jsonl:1, {tmp_path}/d.jsonl:1): not JSON" in diagnostic.message


def test_errors_come_before_warnings(tmp_path):
    report = report_of(check_data(split(tmp_path, "t", chat("q", "{name}"), line("user:q"), "{")), ["t"])
    assert [entry.code for entry in report.diagnostics] == ["HB050", "HB053", "HB058"]
    assert not report.ok


def planted():
    """Data with as many defects of each kind as the real ones have, and what a check of them finds."""
    training = [chat(f"prompt {number % 800}", f"answer {number}") for number in range(1753)]
    training[:209] = [chat(f"prompt {number}", f"by {{factor{number}}}") for number in range(209)]
    training += training[1000:1005]
    shared = [chat(f"prompt {number}", f"{{aspect{number}}}" if number < 54 else "other") for number in range(298)]
    fresh = [chat(f"fresh {number}", "other") for number in range(137)]
    return training, [*training[300:305], *shared, *fresh]


FINDINGS = {
    ("training", "HB055"): 5,
    ("training", "HB058"): 209,
    ("validation", "HB056"): 5,
    ("validation", "HB057"): 303,
    ("validation", "HB058"): 54,
}
"""Of the document's own examples, counted by programs that share nothing with this one."""


def test_the_real_findings(tmp_path):
    """On data with the same defects everywhere, and on the real data where they lie beside the project."""
    training, validation = (split(tmp_path, name, *lines) for name, lines in zip("tv", planted(), strict=True))
    pairs = [(training, validation)]
    if REAL.is_dir():
        pairs.append(tuple(data_files([str(REAL / f"{name}.jsonl")]) for name in ("train", "validation")))
    for pair in pairs:
        verdict = check_data(*pair)
        assert found(verdict) == FINDINGS
        assert [one.examples for one in verdict.splits] == [1758, 440]
