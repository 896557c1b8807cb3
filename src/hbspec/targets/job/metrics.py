"""The metrics that are extracted from a training job's log."""

from __future__ import annotations

import ast

from hbspec.analysis import Analysis
from hbspec.shipped import templates


def metrics(analysis: Analysis) -> dict[str, str]:
    """Regular expressions by metric name: the shipped script's, if it runs, and those of `monitoring.metrics`."""
    own = analysis.spec.monitoring.metrics if analysis.spec.monitoring else ()
    shipped = shipped_metrics() if analysis.spec.shipped else {}
    return {**shipped, **{metric.name: metric.regex for metric in own}}


def shipped_metrics() -> dict[str, str]:
    """Regular expressions by metric name, parsed from the shipped script's table without running it."""
    tree = ast.parse((templates() / "metrics.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "METRICS":
            return dict(ast.literal_eval(node.value or ast.Dict([], [])))
    raise ValueError("templates/metrics.py has no METRICS")
