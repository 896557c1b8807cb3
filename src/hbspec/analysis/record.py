"""The record of a measurement that a spec names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hbspec.analysis.refusal import refusal
from hbspec.diagnostics import Finding, Route
from hbspec.showing.secrets import redact
from hbspec.source import Document
from hbspec.source.attachments import AttachmentError, read_json
from hbspec.spec import Spec

if TYPE_CHECKING:
    from hbspec.plan.measurement import Measurement

RECORD: Route = ("calibration", "record")


def measurement(document: Document, spec: Spec, findings: list[Finding]) -> Measurement | None:
    """What the record of a spec tells; None where the spec names none, or one that is refused."""
    path = spec.calibration.record if spec.calibration else None
    if path is None:
        return None
    from hbspec.plan.measurement_file import read_measurement  # which few specs need

    try:
        return read_measurement(read_json(document, RECORD, path))
    except AttachmentError as reason:
        findings.append(refusal("HB030", RECORD, str(reason), "give the path of a readable JSON file"))
    except ValueError as reason:
        action = "measure the job again with `hbspec measure`, or delete the key"
        findings.append(refusal("HB035", RECORD, redact(f"{path}: {reason}"), action))
    return None
