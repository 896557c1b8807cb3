"""HB120: the asserted licence against the published one."""

from __future__ import annotations

import pytest
from judged import edge, judged

from hbspec.rules.hb120_license_differs import same_license


@pytest.mark.parametrize(
    ("model", "within", "beyond"),
    [
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-32B", "MIT", "apache-2.0"),
        ("Qwen/Qwen2.5-7B", "apache-2.0", "apache-1.1"),
    ],
)
def test_edge(model, within, beyond, tmp_path):
    edge("HB120", f"model: {{id: {model}}}", "model.license", within, beyond, tmp_path)


@pytest.mark.parametrize(
    ("asserted", "published", "same"),
    [
        ("MIT License", "mit", True),
        ("Apache 2.0", "apache-2.0", True),
        ("Apache License, Version 2.0", "apache-2.0", True),
        ("apache", "apache-2.0", True),
        ("Llama 3.1 Community License", "llama3.1", True),
        ("llama3", "llama3.1", False),
        ("llama3.2", "llama3.1", False),
        ("qwen", "qwen-research", True),
        ("mit", "apache-2.0", False),
        ("license", "mit", False),
    ],
)
def test_a_licence_is_the_same_in_other_words(asserted, published, same):
    assert same_license(asserted, published) is same


def test_a_licence_that_is_not_known_is_not_contradicted(tmp_path):
    assert judged("HB120", "model: {id: Qwen/Qwen3-14B, license: mit}", tmp_path) == []
