"""What `check` says about a fragment laid over `base.yaml`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from hbspec.api import check, estimate
from hbspec.diagnostics import Diagnostic, Finding
from hbspec.rules.engine import findings_of

HERE = Path(__file__).parent
SPECS = HERE.parent.parent / "specs"
AS_OF = date(2026, 11, 22)


def judged(code: str, fragment: str, folder: Path) -> list[Diagnostic]:
    """The diagnostics of one rule, in order."""
    (folder / "base.yaml").write_text((HERE / "base.yaml").read_text())
    (folder / "spec.yaml").write_text(f"extends: ./base.yaml\n{fragment}\n")
    return said(code, folder / "spec.yaml")


def found_by(code: str, fragment: str, folder: Path) -> list[Finding]:
    """The findings of one rule, those that follow from another one's too."""
    (folder / "base.yaml").write_text((HERE / "base.yaml").read_text())
    (folder / "spec.yaml").write_text(f"extends: ./base.yaml\n{fragment}\n")
    findings, _ = findings_of(estimate(folder / "spec.yaml", as_of=AS_OF).analysis)
    return [finding for finding in findings if finding.code == code]


def said(code: str, spec: Path) -> list[Diagnostic]:
    """The diagnostics of one rule about a spec file."""
    return [diagnostic for diagnostic in check(spec, as_of=AS_OF).diagnostics if diagnostic.code == code]
