"""HB656: caches in folders that are uploaded."""

from __future__ import annotations

import pytest
from judged import edge, judged

SET = "sagemaker: {environment: {%s: '%s'}}"


def test_the_edge_is_the_folder(tmp_path):
    edge(
        "HB656", "", "sagemaker.environment", *({"HF_HOME": f"/opt/ml/{name}"} for name in ("cache", "model")), tmp_path
    )


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("HF_HUB_CACHE", "/opt/ml/model", True),
        ("TMPDIR", "/opt/ml/checkpoints/tmp/", True),
        ("TRANSFORMERS_CACHE", "/opt/ml/input/../output/data", True),
        ("HF_HOME", "/opt/ml/models", False),
        ("HF_HOME", "/tmp/opt/ml/model", False),
        ("HF_DATASETS_CACHE", "/opt/ml/input/cache", False),
        ("RESULTS", "/opt/ml/model", False),
    ],
)
def test_variables(name, value, found, tmp_path):
    said = judged("HB656", SET % (name, value), tmp_path)
    assert [entry.severity for entry in said] == (["warning"] if found else [])
