"""Sections that are not mappings and counts that are not numbers are named, and not taken as left out."""

from __future__ import annotations

import pytest
from frontends_cases import found
from hyperpod_cases import LLMFT, RECIPES

OF_AWS = "model_type"
"""What is said of each recipe of AWS's own program."""


@pytest.mark.parametrize("value", ["[64]", "{a: 64}", "0", "64.5", "many"])
def test_a_count_that_is_not_one_is_named(opened, value):
    document = opened(LLMFT.replace("    train_batch_size: 64", f"    train_batch_size: {value}"), on=None)
    assert set(found(document)) == {("HB029", OF_AWS), ("HB029", "train_batch_size")}
    assert ("train_batch_size", "either") in document.translated.unread


def test_nodes_that_are_a_list_are_named(opened):
    document = opened(LLMFT.replace("num_nodes: 2", "num_nodes: [2]"), on=None)
    assert ("HB029", "num_nodes") in found(document)


@pytest.mark.parametrize(("value", "code"), [("[1, 2]", "HB029"), ("7", "HB029"), ("${base}", "HB036")])
def test_a_section_that_is_not_a_mapping_is_named(opened, value, code):
    start = LLMFT.index("  training_args:\n    adam_betas")
    document = opened(f"{LLMFT[:start]}  training_args: {value}\n", on=None)
    assert (code, "training_args") in found(document)


@pytest.mark.parametrize("kind", RECIPES)
def test_a_recipe_as_it_should_be_has_no_such_finding(opened, kind):
    document = opened(RECIPES[kind], on=None)
    assert not [finding for finding in document.translated.findings if "is not read," in finding.message]
