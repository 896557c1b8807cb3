"""What `check` says about a fragment laid over `base.yaml`, and the edge of a rule from both sides."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from hbspec.analysis import Analysis
from hbspec.api import Estimates, check, estimate
from hbspec.diagnostics import Diagnostic, Finding
from hbspec.plan import Hardware
from hbspec.rules.engine import findings_of

HERE = Path(__file__).parent
SPECS = HERE.parent.parent / "specs"
AS_OF = date(2026, 11, 22)


def laid(fragment: str, folder: Path) -> Path:
    """The path of a spec in `folder`: the fragment over `base.yaml`."""
    (folder / "base.yaml").write_text((HERE / "base.yaml").read_text())
    (folder / "spec.yaml").write_text(f"extends: ./base.yaml\n{fragment}\n")
    return folder / "spec.yaml"


def codes(fragment: str, folder: Path, overrides: Sequence[str] = ()) -> set[str]:
    """The codes that are reported, without those that only follow from another finding.

    The files that the examples of manual pages name lie beside the spec, unless the test has written its own.
    """
    report = check(_laid_beside(fragment, folder), overrides=overrides, as_of=AS_OF)
    return {diagnostic.code for diagnostic in report.diagnostics}


def _laid_beside(fragment: str, folder: Path) -> Path:
    for beside in (HERE / "finetune.py", *HERE.glob("own_*.py"), *HERE.glob("*.json"), *HERE.glob("*.jinja")):
        if not (folder / beside.name).exists():
            (folder / beside.name).write_text(beside.read_text())
    return laid(fragment, folder)


def edge(code: str, fragment: str, key: str, within: object, beyond: object, folder: Path) -> None:
    """Assert that of two specs which differ in one key, only the one beyond the limit is told `code`, and only `code`.

    `key` is a dotted path; a value of None leaves it as the fragment has it.
    """
    inside, outside = (codes(fragment, folder, _set(key, value)) for value in (within, beyond))
    assert code in outside, f"{key}={beyond} is not told {code}, but {sorted(outside)}"
    assert inside ^ outside == {code}, f"{key}={within}: {sorted(inside)}; {key}={beyond}: {sorted(outside)}"


def largest_within(code: str, fragment: str, key: str, within: int, beyond: int, folder: Path, unit: str = "") -> int:
    """Bisect for the largest whole number, in `unit`, that is not told `code`; the search starts from one of each.

    The rule is asked alone: what `check` says on both sides of what is found is the test's to show.
    """
    spec = _laid_beside(fragment, folder)
    while abs(beyond - within) > 1:
        middle = (within + beyond) // 2
        overrides = _set(key, f"{middle} {unit}" if unit else middle)
        found, _ = findings_of(estimate(spec, overrides=overrides, as_of=AS_OF).analysis, codes={code})
        if any(finding.code == code for finding in found):
            beyond = middle
        else:
            within = middle
    return within


def _set(key: str, value: object) -> list[str]:
    return [] if value is None else [f"{key}={json.dumps(value)}"]


def judged(code: str, fragment: str, folder: Path) -> list[Diagnostic]:
    """The diagnostics of one rule, in order."""
    return said(code, laid(fragment, folder))


def found_by(code: str, fragment: str, folder: Path) -> list[Finding]:
    """The findings of one rule, those that follow from another one's too."""
    findings, _ = findings_of(estimated(fragment, folder).analysis)
    return [finding for finding in findings if finding.code == code]


def estimated(fragment: str, folder: Path) -> Estimates:
    """What the job of a fragment needs, takes and costs."""
    return estimate(laid(fragment, folder), as_of=AS_OF)


def on_hardware(fragment: str, folder: Path, change: Callable[[Hardware], Hardware]) -> Analysis:
    """The analysis of a fragment on hardware that the catalog does not have."""
    analysis = replace(estimated(fragment, folder).analysis)
    analysis.__dict__["plan"] = analysis.plan._replace(hardware=change(analysis.plan.hardware))
    return analysis


def said(code: str, spec: Path) -> list[Diagnostic]:
    """The diagnostics of one rule about a spec file."""
    return [diagnostic for diagnostic in check(spec, as_of=AS_OF).diagnostics if diagnostic.code == code]
