"""HB210: two 16-bit formats."""

from __future__ import annotations

import pytest
from judged import edge


@pytest.mark.parametrize(("given", "key"), [("bf16", "fp16"), ("fp16", "bf16")])
def test_edge(given, key, tmp_path):
    published = "model: {id: meta-llama/Llama-2-7b-hf}\ndeployment: null\n"  # in float16
    edge("HB210", f"{published}hyperparameters: {{{given}: true}}", f"hyperparameters.{key}", False, True, tmp_path)
