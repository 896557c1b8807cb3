"""A spec or a request judged by a policy, as a report."""

from __future__ import annotations

from hbspec.analysis import Analysis
from hbspec.catalog import Catalog
from hbspec.diagnostics import Finding, Report, Severity
from hbspec.manual.policy import UNUSABLE
from hbspec.policy import request_facts, spec_facts
from hbspec.policy.lines import broken_lines
from hbspec.policy.read import Policy
from hbspec.rules.engine import place
from hbspec.source import Document
from hbspec.spec.foreign import REQUEST, program_of


def with_policy(report: Report, analysis: Analysis, policy: Policy) -> Report:
    """The report on a spec with what it breaks of the policy; neither comments nor a configuration silence that."""
    found = place(analysis.document, broken_lines(spec_facts.subject_of(analysis), policy)).diagnostics
    entries = sorted((*report.diagnostics, *found), key=lambda entry: entry.sort_key)
    return report._replace(diagnostics=tuple(entries))


def is_request(document: Document) -> bool:
    """Whether a document is a body of CreateTrainingJob rather than a spec."""
    return program_of(document.values) == REQUEST


def judged_request(document: Document, catalog: Catalog, policy: Policy) -> Report:
    """The report on a body of CreateTrainingJob: what it breaks of the policy."""
    if len({span.file for span in document.spans.values()}) > 1 or len(document.texts) > 1:
        message = "a request cannot extend another file, nor be changed by --set: the service would get another one"
        wrong = Finding(UNUSABLE.code, UNUSABLE.name, Severity.ERROR, (), message, "check the body as it is sent")
        return place(document, [wrong])
    return place(document, broken_lines(request_facts.subject_of(document.values, catalog), policy))
