"""HB647: numbers of threads. ml.p4d.24xlarge has 96 processors."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_the_processors_of_the_instance(tmp_path):
    edge("HB647", "", "sagemaker.environment", {"OMP_NUM_THREADS": "96"}, {"OMP_NUM_THREADS": "97"}, tmp_path)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("1", False),
        ("8", False),
        ("16", False),
        ("8,2", False),
        ("0", True),
        ("-1", True),
        ("auto", True),
        ("", True),
        ("9" * 5000, True),
    ],
)
def test_values(value, found, tmp_path):
    """torchrun's default is 1; public recipes of axolotl, LLaMA-Factory and torchtune set 1 to 16."""
    said = judged("HB647", f"sagemaker: {{environment: {{OMP_NUM_THREADS: '{value}'}}}}", tmp_path)
    assert [entry.severity for entry in said] == (["warning"] if found else [])
