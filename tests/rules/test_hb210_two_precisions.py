"""HB210: two 16-bit formats."""

from __future__ import annotations

import pytest
from judged import edge


@pytest.mark.parametrize(("given", "key"), [("bf16", "fp16"), ("fp16", "bf16")])
def test_edge(given, key, tmp_path):
    edge("HB210", f"hyperparameters: {{{given}: true}}", f"hyperparameters.{key}", False, True, tmp_path)
