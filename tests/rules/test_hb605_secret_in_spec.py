"""HB605: credentials in the spec."""

from __future__ import annotations

import pytest
from judged import SPECS, edge, judged, said

from hbspec.api import check
from hbspec.showing.secrets import looks_secret

TOKEN = "hf_" + "abcdefghijklmnopqrstuvwx"


def test_the_edge_is_the_shortest_text_of_a_published_form(tmp_path):
    shortest = next(length for length in range(len(TOKEN)) if looks_secret(f"NOTE: {TOKEN[:length]}"))
    within, beyond = ({"NOTE": TOKEN[:length]} for length in (shortest - 1, shortest))
    edge("HB605", "", "sagemaker.environment", within, beyond, tmp_path)


def test_the_edge_is_the_name(tmp_path):
    words = "correct-horse"
    edge("HB605", "", "sagemaker.environment", {"DB_MOTTO": words}, {"DB_PASSWORD": words}, tmp_path)


@pytest.mark.parametrize(
    "fragment",
    [
        "sagemaker: {environment: {HF_TOKEN: %s}}",
        "script: {entry_point: base.yaml, hyperparameters: {note: %s}}",
        "name: %s",
        "hyperparameters: {optim: %s}",
        "evaluation: [{suite: %s, min_score: 0.5}]",
        "sagemaker: {tags: {k: %s}}",
    ],
)
def test_it_is_found_anywhere_and_never_shown(tmp_path, fragment):
    (found,) = judged("HB605", fragment % TOKEN, tmp_path)
    assert found.severity == "error"
    assert TOKEN not in str(check(tmp_path / "spec.yaml").to_dict())


def test_the_specs_hold_none():
    assert said("HB605", SPECS / "heartbeat-as-written.yaml") == []
