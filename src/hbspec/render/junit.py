"""A report as JUnit's XML, which most CI systems show as tests.

The elements are those of https://github.com/testmoapp/junitxml: a file is a suite, a finding a failed test; notes and
warnings pass, with their text as output.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from hbspec.diagnostics import Diagnostic, Report, Severity
from hbspec.showing import shown


def junit(report: Report) -> str:
    """The document; a file without findings is one test that passes."""
    report = report._replace(diagnostics=tuple(entry.of_file for entry in report.diagnostics))
    root = Element("testsuites", name="hbspec", tests="0", failures="0")
    files = dict.fromkeys((*report.files, *(entry.file for entry in report.diagnostics)))
    for file in files:
        found = [entry for entry in report.diagnostics if entry.file == file]
        errors = sum(entry.severity is Severity.ERROR for entry in found)
        suite = SubElement(
            root, "testsuite", name=shown(file), tests=str(len(found) or 1), failures=str(errors), errors="0"
        )
        for entry in found:
            _case(suite, entry)
        if not found:
            SubElement(suite, "testcase", name="no findings", classname=shown(file))
    root.set("tests", str(sum(int(suite.get("tests", "0")) for suite in root)))
    root.set("failures", str(report.count(Severity.ERROR)))
    indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, encoding="unicode")}\n'


def _case(suite: Element, entry: Diagnostic) -> None:
    name, file = f"{entry.code} {entry.name}", shown(entry.file)
    case = SubElement(suite, "testcase", name=name, classname=file, file=file)
    if entry.span:
        case.set("line", str(entry.span.start.line))
    also = f"\nalso: {shown(entry.also_text)}" if entry.also else ""
    text = f"{shown(entry.message)}\nhelp: {shown(entry.help)}{also}"
    if entry.severity is Severity.ERROR:
        SubElement(case, "failure", message=shown(entry.message), type=entry.code).text = text
    else:
        SubElement(case, "system-out").text = f"{entry.severity}: {text}"
