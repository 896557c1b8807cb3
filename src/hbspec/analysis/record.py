"""The record of a measurement that a spec names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hbspec.diagnostics import Finding, Route, Severity
from hbspec.manual.shape import PAGES
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
        findings.append(_refusal("HB030", str(reason), "give the path of a readable JSON file"))
    except ValueError as reason:
        message = redact(f"{path}: {reason}")
        findings.append(_refusal("HB035", message, "measure the job again with `hbspec measure`, or delete the key"))
    return None


def _refusal(code: str, message: str, action: str) -> Finding:
    return Finding(code, PAGES[code].name, Severity.ERROR, RECORD, message, action)
