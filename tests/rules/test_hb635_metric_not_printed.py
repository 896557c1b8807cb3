"""HB635: expressions for lines that the shipped script does not print."""

from __future__ import annotations

import json

import pytest
from judged import edge, judged

from hbspec.targets.job.metrics import shipped_metrics

METRICS = "monitoring: {metrics: [{name: m, regex: %s}]}"


def test_the_edge_is_the_text_before_the_group(tmp_path):
    metric = METRICS % "x"
    edge("HB635", metric, "monitoring.metrics[0].regex", " loss=([-+0-9.eE]+)", " loss: ([-+0-9.eE]+)", tmp_path)


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        *((expression, False) for expression in shipped_metrics().values()),
        ("hbspec: step=12 loss=([-+0-9.eE]+)", False),
        ("(?P<loss>[-+0-9.eE]+)", False),
        (".*([0-9.]+)", False),
        ("loss[=:] ?([0-9.]+)", False),
        ("(?i)LOSS=([0-9.]+)", False),
        ("'loss': ([0-9]+(.|e\\-)[0-9]+),?", True),
        ("accuracy=([0-9.]+)", True),
        ("Train_error=(.*?);", True),
        ("rouge: ([a-z]+)", False),  # HB608
    ],
)
def test_expressions(expression, found, tmp_path):
    said = judged("HB635", METRICS % json.dumps(expression), tmp_path)
    assert [(entry.severity, entry.confidence) for entry in said] == ([("warning", "likely")] if found else [])


def test_your_own_script_prints_what_it_likes(tmp_path):
    fragment = METRICS % json.dumps("'loss': ([0-9.eE+-]+)")
    assert judged("HB635", f"{fragment}\nscript: {{entry_point: base.yaml}}", tmp_path) == []
