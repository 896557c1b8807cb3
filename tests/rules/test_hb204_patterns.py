"""HB204: patterns, peft's choice and layers that the model does not have."""

from __future__ import annotations

import pytest
from judged import AS_OF, edge, laid

from hbspec.api import check

NAMES = "hyperparameters: {target_modules: [q_proj]}"


@pytest.mark.parametrize(
    ("fragment", "key", "within", "beyond"),
    [
        ("", "hyperparameters.target_modules", r".*\.q_proj", "q_proj"),
        ("", "hyperparameters.target_modules", "default", "defaults"),
        (NAMES, "hyperparameters.layers_to_transform", [63], [64]),
        ("", "hyperparameters.layers_to_transform", [0], [0, 64]),
    ],
)
def test_edge(fragment, key, within, beyond, tmp_path):
    edge("HB204", fragment, key, within, beyond, tmp_path)


def test_a_misspelt_word_has_a_fix(tmp_path):
    (said,) = check(laid("hyperparameters: {target_modules: all_linear}", tmp_path), as_of=AS_OF).diagnostics
    assert (said.code, said.help) == ("HB204", "did you mean all-linear?")
    assert [fix.title for fix in said.fixes] == ["change it to all-linear"]


def test_layers_need_names(tmp_path):
    fragment = "hyperparameters: {target_modules: all-linear, layers_to_transform: [0]}"
    (said,) = check(laid(fragment, tmp_path), as_of=AS_OF).diagnostics
    assert (said.code, said.route) == ("HB204", ("hyperparameters", "layers_to_transform"))
