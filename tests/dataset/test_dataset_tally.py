"""Each code of the data has an action, and what is counted stays small."""

from __future__ import annotations

from hbspec.dataset.broken import Place
from hbspec.dataset.tally import ACTIONS, KEPT, Tallies
from hbspec.manual.data import LINE, PAGES, PLACEHOLDER


def test_every_code_has_an_action_of_one_line():
    assert list(ACTIONS) == list(PAGES) == [f"HB{number:03}" for number in range(50, 66)]
    assert all(action and "\n" not in action and not action.endswith(".") for action in ACTIONS.values())


def test_places_and_names_are_kept_up_to_a_bound_and_all_are_counted():
    tallies = Tallies("training")
    for number in range(2 * KEPT):
        tally = tallies.add(PLACEHOLDER, "placeholders", Place("data.jsonl", number + 1))
        tallies.name(tally, f"{{name{number}}}")
        tallies.name(tally, "{name0}")
    (tally,) = tallies
    assert (tally.count, len(tally.places), len(tally.names)) == (2 * KEPT, KEPT, KEPT)
    assert tally.names["{name0}"] == 2 * KEPT + 1
    assert tally.diagnostic(2 * KEPT).message.endswith("placeholders, {name0}, {name1}, {name2}, {name3}, {name4}, …")


def test_one_line_and_many():
    tallies = Tallies("training")
    tallies.add(LINE, "not JSON", Place("data.jsonl", 3))
    (tally,) = tallies
    assert tally.diagnostic(9).message == "line 3: not JSON"
    tallies.add(LINE, "not JSON", Place("data.jsonl", 1234))
    assert tally.diagnostic(9).message == "2 lines (3, 1234): not JSON"
