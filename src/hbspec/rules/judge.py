"""The report on one spec: one finding per cause, each with its help."""

from __future__ import annotations

from hbspec.analysis import Analysis
from hbspec.configuration import EVERYTHING, Configuration
from hbspec.diagnostics import Diagnostic, NotKnownError, Report
from hbspec.rules.engine import advising_rules, explained, findings_again, findings_of, place
from hbspec.rules.follow import followed
from hbspec.rules.harmless import harmless
from hbspec.showing.secrets import redact


def judge(analysis: Analysis, configuration: Configuration = EVERYTHING) -> Report:
    """All findings of all rules as a report: one per cause, with spans and help, sorted."""
    judged = findings_of(analysis)
    gone = followed(analysis, judged, findings_again)
    report = place(analysis.document, *judged, explained(), gone, configuration, every_rule=True)
    return _advised(analysis, report)


def _advised(analysis: Analysis, report: Report) -> Report:
    """The report with the help that rules search for; a finding keeps its own where an input is not known."""
    advising = advising_rules()
    acceptable = harmless(analysis)

    def advised(entry: Diagnostic) -> Diagnostic:
        try:
            return entry._replace(help=redact(advising[entry.code].advise(analysis, acceptable)))
        except NotKnownError:
            return entry

    entries = (advised(entry) if entry.code in advising else entry for entry in report.diagnostics)
    return report._replace(diagnostics=tuple(entries))
