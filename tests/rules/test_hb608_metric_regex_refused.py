"""HB608: regular expressions of metrics."""

from __future__ import annotations

import json

import pytest
from judged import edge, judged


def test_the_edge_is_a_group(tmp_path):
    metrics = "monitoring: {metrics: [{name: loss, regex: x}]}"
    edge("HB608", metrics, "monitoring.metrics[0].regex", "loss=([0-9.]+)", "loss=[0-9.]+", tmp_path)


METRIC = "monitoring: {metrics: [{name: %s, regex: %s}]}"


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("loss=([0-9.]+)", ""),
        ("(?P<value>[0-9.]+)", ""),
        ("(?:x)", "captures nothing"),
        ("(x", "does not compile"),
        ("(x){99999999999999999999}", "does not compile"),
        ("(" * 250 + ")" * 250, "captures no number"),
        ("(x)", "captures no number"),
        ("rouge: ([a-z]+)", "captures no number"),
        ("(((a+)+)+)+$", ""),  # slow if it were run
        ("(" + "(.+" * 50 + ")+" * 50 + "x)$", ""),
        ("(" + ".*" * 100 + "x)", ""),
        ("(" + "(?:.|.|.|.|.|.|.|.)" * 7 + "x)", ""),
        ("((?:" + ".*" * 14 + ")+x)", ""),
        ("m=([0-9]+) (" + ".*" * 100 + "x)", ""),
        (r"m=(\w+)", "captures words"),
        ("m=([a-z0-9]+)", "captures words"),
        ("m=(.*)", "rest of the line"),
        ("m=(.+)$", "rest of the line"),
        ("m=(.*);", "rest of the line"),
        ("m=(.*) grad_norm=", ""),
        ("m=(.*?)", "captures nothing"),
        ("m=(.+?)", "as little as it can"),
        ("step=([0-9]+) m=([0-9.]+)", "two groups"),
        (r"(\d+)/(\d+)", "two groups"),
        # of AWS's and of Hugging Face's examples
        ("Train_error=(.*?);", ""),
        (r"'m': ([0-9]+(.|e\-)[0-9]+),?", ""),
        (r"m=([0-9\.]+)", ""),
        (r"m=(\S+)", ""),
        ("m=([^ ,]+)", ""),
        ("(step|epoch)=([0-9.]+)", "captures no number"),
        ("(?:step|epoch)=([0-9.]+)", ""),
        ("[(]m=([0-9.]+)[)]", ""),
        (r"\(m=([0-9.]+)\)", ""),
        ("[]()]m=([0-9.]+)", ""),
        (r"(m)=\1([0-9]+)", ""),
        ("tokens=([0-9]+)", ""),
        ("m=((?:[0-9]+)(?:[.][0-9]+)?)", ""),
    ],
)
def test_expressions(tmp_path, expression, said):
    found = judged("HB608", METRIC % ("m", json.dumps(expression)), tmp_path)
    assert (said in found[0].message) if said else found == []


@pytest.mark.parametrize(
    ("name", "expression", "said"),
    [
        ("loss", "=([0-9]+)", "does not take 2.345"),
        ("m", "loss=([0-9]+)", "does not take 2.345"),
        ("accuracy", r"=(\d+)", "does not take 2.345"),
        ("losses_seen", "=([0-9.]+)", ""),
        ("epochs", "=([0-9]+)", ""),
        ("learning_rate", "=([0-9.]+)", "does not take 9.6e-05"),
        ("lr", "=([0-9.]+)", "does not take 9.6e-05"),
        ("m", "'learning_rate': ([0-9]+(.|e\\-)[0-9]+),?", "does not take 9.6e-05"),
        ("learning_rate", "=([-+0-9.eE]+)", ""),
        ("learning_rate", "=(.*?) ", ""),
        ("loss", "=([0-9.]+)", ""),
        ("url_count", "=([0-9]+)", ""),
    ],
)
def test_names_say_what_numbers_to_expect(tmp_path, name, expression, said):
    found = judged("HB608", METRIC % (name, json.dumps(expression)), tmp_path)
    assert [said in entry.message and entry.severity == "warning" for entry in found] == ([True] if said else [])
