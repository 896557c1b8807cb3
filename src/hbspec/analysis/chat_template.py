"""The chat template that a spec names: a shipped one, or a file."""

from __future__ import annotations

from hbspec.analysis.refusal import refusal
from hbspec.catalog import Catalog
from hbspec.diagnostics import Finding, Fix, Route, Severity
from hbspec.showing import shown
from hbspec.showing.secrets import redact
from hbspec.source import Document
from hbspec.source.attachments import AttachmentError, read_text
from hbspec.spec import Spec
from hbspec.spelling import nearest, typo_of

ROUTE: Route = ("data", "chat_template")
SUFFIXES = (".jinja", ".j2")
"""What TRL, too, takes for a file (1.16, `SFTConfig.chat_template_path`)."""
LONGEST = 500_000
"""Characters of a template that is tried: the longest of TRL 1.16 has 19,000."""
LONGEST_REASON = 200
"""Characters of what a template says of itself."""


def chat_template(document: Document, spec: Spec, catalog: Catalog, findings: list[Finding]) -> str | None:
    """The text of the spec's chat template; None where it names none, or one that cannot be read.

    Args:
        document: the document, which says where files lie.
        spec: the spec.
        catalog: has the templates that are shipped.
        findings: gets what is wrong with it.
    """
    named = spec.data.chat_template
    if named is None:
        return None
    if named in catalog.chat_templates:
        return catalog.chat_template(named)
    if "/" not in named and not named.endswith(SUFFIXES):
        findings.append(_unknown(named, catalog.chat_templates))
        return None
    try:
        text = read_text(document, ROUTE, named)
    except AttachmentError as reason:
        findings.append(_finding("HB030", str(reason), "give the path of a readable Jinja file"))
        return None
    if len(text) > LONGEST:
        message = f"{named} has {len(text):,} characters; a chat template has at most {LONGEST:,}"
        findings.append(_finding("HB034", message, "give the path of the chat template"))
        return None
    findings += _faults(named, text)
    return text


def _unknown(named: str, shipped: tuple[str, ...]) -> Finding:
    alike = nearest(named, shipped)
    action = f"use {alike}" if alike else "use one of these, or the path of a `.jinja` file"
    certain = typo_of(named, shipped)
    fixes = (Fix(f"change it to {certain}", ROUTE, certain),) if certain else ()
    return _finding("HB034", f"{named} is not one of {', '.join(shipped)}", action)._replace(fixes=fixes)


def _faults(named: str, text: str) -> list[Finding]:
    """What a trial of the template finds, or why there was none."""
    from hbspec.chat_templates.trial import fault_of

    try:
        fault = fault_of(text)
    except ImportError:
        action = 'install `pip install "hbspec[data]"`, or use one of the shipped templates'
        message = f"{named} is not checked, because jinja2 is not installed"
        return [_finding("HB034", message, action)._replace(severity=Severity.WARNING)]
    if fault is None:
        return []
    clean = shown(fault)
    clean = clean if len(clean) <= LONGEST_REASON else f"{clean[:LONGEST_REASON]}…"
    return [_finding("HB034", redact(f"{named} {clean}"), "correct the template")]


def _finding(code: str, message: str, action: str) -> Finding:
    return refusal(code, ROUTE, message, action)
