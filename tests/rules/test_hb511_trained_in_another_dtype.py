"""HB511: the 16-bit formats of training and serving."""

from __future__ import annotations

import pytest
from judged import edge, judged


@pytest.mark.parametrize("trained", ["bf16", "fp16"])
def test_the_edge_is_the_dtype_of_training(trained, tmp_path):
    names = {"bf16": "bfloat16", "fp16": "float16"}
    other = "fp16" if trained == "bf16" else "bf16"
    fragment = f"hyperparameters: {{{trained}: true, {other}: false}}"
    edge("HB511", fragment, "deployment.dtype", names[trained], names[other], tmp_path)


@pytest.mark.parametrize("dtype", ["", ", dtype: float16"])
def test_a_gpu_without_bfloat16_has_no_choice(dtype, tmp_path):
    assert judged("HB511", f"deployment: {{instance: {{type: ml.g4dn.12xlarge}}{dtype}}}", tmp_path) == []
