"""HB403: claims that cannot be read."""

from __future__ import annotations

import pytest
from judged import edge, judged

EPOCHS = "expect: {training.epochs: 4.35}"


def test_the_edge_is_a_unit_that_the_quantity_does_not_have(tmp_path):
    edge("HB403", EPOCHS, "expect.training.epochs", "4.35", "4.35 h", tmp_path)


def test_the_edge_is_an_empty_range(tmp_path):
    edge("HB403", EPOCHS, "expect.training.epochs", "4.34..4.36", "4.37..4.36", tmp_path)


@pytest.mark.parametrize(
    ("key", "action"),
    [("training.epoch", "did you mean training.epochs?"), ("magic", "claim one of model.parameters, ")],
)
def test_a_quantity_that_does_not_exist(key, action, tmp_path):
    (found,) = judged("HB403", f"expect: {{{key}: 1}}", tmp_path)
    assert found.message == f"{key}: this quantity does not exist"
    assert found.help.startswith(action)
