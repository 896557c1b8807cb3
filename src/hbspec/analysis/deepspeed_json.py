"""The DeepSpeed JSON that a spec names."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from hbspec.analysis.refusal import refusal
from hbspec.catalog.deepspeed import problems
from hbspec.diagnostics import Finding, Route
from hbspec.showing.secrets import redact
from hbspec.source import Document
from hbspec.source.attachments import AttachmentError, read_json
from hbspec.spec import Spec

ROUTE: Route = ("instance", "deepspeed")
MAX_FAULTS = 100
"""Faults of a DeepSpeed JSON that are listed."""


def deepspeed_json(document: Document, spec: Spec, findings: list[Finding]) -> Mapping[str, Any] | None:
    """The author's DeepSpeed JSON; None where there is none, or where DeepSpeed would refuse a key or value of it."""
    path = spec.instance.deepspeed
    if path is None:
        return None
    try:
        values = read_json(document, ROUTE, path)
    except AttachmentError as reason:
        findings.append(refusal("HB030", ROUTE, str(reason), "give the path of a readable JSON file"))
        return None
    if not isinstance(values, Mapping):
        message = f"{path}: not a mapping of keys, as every DeepSpeed JSON is"
        findings.append(refusal("HB033", ROUTE, message, "give the path of your DeepSpeed JSON"))
        return None
    found = [
        refusal("HB033", ROUTE, redact(f"{path}: {one.message}"), redact(one.action))
        for one in islice(problems(values), MAX_FAULTS)
    ]
    findings += found
    return None if found else values
