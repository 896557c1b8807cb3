"""HB608: regular expressions of metrics."""

from __future__ import annotations

import pytest
from judged import edge, judged


def test_the_edge_is_a_group(tmp_path):
    metrics = "monitoring: {metrics: [{name: loss, regex: x}]}"
    edge("HB608", metrics, "monitoring.metrics[0].regex", "loss=([0-9.]+)", "loss=[0-9.]+", tmp_path)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("loss=([0-9.]+)", ""),
        ("(?P<value>x)", ""),
        ("(?:x)", "captures nothing"),
        ("(x", "does not compile"),
        ("(x){99999999999999999999}", "does not compile"),
        ("(" * 250 + ")" * 250, ""),
        ("(((a+)+)+)+$", ""),  # slow if it were run
    ],
)
def test_expressions(tmp_path, expression, said):
    found = judged("HB608", f"monitoring: {{metrics: [{{name: m, regex: '{expression}'}}]}}", tmp_path)
    assert (said in found[0].message) if said else found == []
