"""Specs beside one another: what makes the comparison unfair, then figure by figure with the difference of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hbspec.comparison.fairness import letter
from hbspec.comparison.figures import Figure
from hbspec.diagnostics import Report, Severity
from hbspec.language import phrase, together
from hbspec.render.answer import answer, stopped
from hbspec.render.differences import difference_text, value_text
from hbspec.render.estimates import head_lines
from hbspec.render.lines import Line, wrapped
from hbspec.render.markdown import escaped, table
from hbspec.render.recommendation import recommendation_sentences
from hbspec.render.rows import LEAD, Row, rows, section
from hbspec.source.excerpts import printable
from hbspec.units import counted

if TYPE_CHECKING:
    from hbspec.comparison.compared import Compared

TITLES = {
    "gpu_memory": "Memory of the fullest GPU",
    "time": "Time",
    "cost": "Cost",
    "updates": "Updates",
    "epochs": "Epochs",
    "examples": "Examples processed",
    "effective_batch_size": "Effective batch size",
    "trainable_parameters": "Trainable parameters",
    "endpoint_memory": "Memory of a GPU of the endpoint",
    "endpoint_latency": "A typical answer",
    "endpoint_cost_per_hour": "The endpoint per hour",
}
"""The heading of each figure."""


def compared_lines(compared: Compared, width: int | None = None) -> Iterator[Line]:
    """The specs by letter, which to take, what makes the comparison unfair, verdicts and costs, and then the rest.

    What decides comes first, since a screen may end before the rest: of what is unfair, the details follow the cost.
    """
    letters = [letter(number) for number in range(len(compared.files))]
    for name, file, found in zip(letters, compared.files, compared.estimates, strict=True):
        yield from wrapped((("title", name), ("", LEAD), ("path", printable(file))), width, 2 * len(LEAD))
        for line in head_lines(found.plan, width and width - 2 * len(LEAD)):
            yield (("", 2 * LEAD), *line)
    yield ()
    for sentence in recommendation_sentences(compared.recommendation, compared.files):
        yield from wrapped((("title", sentence),), width, 2 * len(LEAD))
    if compared.unfair:
        yield from section("Not like with like", width, _in_short(compared.unfair), "open")
    yield from section("Verdict", width)
    yield from rows(zip(letters, verdicts(compared), ("",) * len(letters), strict=True), width)
    first = [figure for figure in compared.figures if figure.name == "cost"]
    for figure in first:
        yield from figure_lines(figure, letters, width)
    if compared.unfair:
        yield from section("How they differ", width)
        for sentence in compared.unfair:
            yield from wrapped((("open", f"{LEAD}- "), ("", printable(sentence))), width, 2 * len(LEAD))
    for figure in compared.figures:
        if figure not in first:
            yield from figure_lines(figure, letters, width)
    yield from section("Findings of hbspec check", width)
    yield from rows(((name, findings_text(report), "") for name, report in _each(letters, compared.reports)), width)


def verdicts(compared: Compared) -> Iterator[str]:
    """Whether each job fits and runs to its end, and whether its endpoint fits if it has one."""
    for found in compared.estimates:
        sentences = tuple(answer(found))
        others = filter(None, (stopped(found.time), *(sentence.answer for sentence in sentences[3:])))
        yield together(sentences[0].answer, *(together(". ", other) for other in others))


def _in_short(unfair: Sequence[str]) -> str:
    """What differs, without what each spec has."""
    return "; ".join(sentence.partition(":")[0] for sentence in unfair)


def figure_lines(figure: Figure, names: Sequence[str], width: int | None) -> Iterator[Line]:
    """A figure of every spec with its difference from the first; one line where it is the same number in all."""
    if all(found is not None and found.same for found in figure.differences[1:]):
        said = value_text(figure, 0)
        yield from section(TITLES[figure.name], width, f"{said} in each" if len(names) > 1 else said, "title")
        return
    yield from section(TITLES[figure.name], width)
    entries: list[Row] = []
    for number, name in enumerate(names):
        remark = difference_text(figure, number, names[0]) if number else ""
        entries.append((name, value_text(figure, number), remark))
    yield from rows(entries, width)


def compared_markdown(compared: Compared) -> Iterator[str]:
    """A table with a column for each spec, after which to take and what makes the comparison unfair."""
    letters = [letter(number) for number in range(len(compared.files))]
    for name, file, found in zip(letters, compared.files, compared.estimates, strict=True):
        yield f"- **{name}** {escaped(file)}: {escaped(found.plan.name)}"
    yield ""
    yield " ".join(escaped(said) for said in recommendation_sentences(compared.recommendation, compared.files))
    yield ""
    for sentence in compared.unfair:
        yield f"> Not like with like: {escaped(sentence)}"
        yield ""
    body = [["Verdict", *(escaped(said) for said in verdicts(compared))]]
    body += [figure_cells(figure, letters) for figure in compared.figures]
    body.append(["Findings", *(findings_text(report) for report in compared.reports)])
    yield from table(["", *letters], body)


def figure_cells(figure: Figure, names: Sequence[str]) -> list[str]:
    """The row of a table: the title, and each figure with its difference."""
    cells = [TITLES[figure.name]]
    for number in range(len(names)):
        said = difference_text(figure, number, names[0]) if number else ""
        value = escaped(value_text(figure, number))
        cells.append(f"{value}<br>{escaped(said)}" if said else value)
    return cells


def findings_text(report: Report) -> str:
    """The number of findings by severity.

    >>> findings_text(Report((), ()))
    'none'
    """
    counts = [(severity, report.count(severity)) for severity in Severity]
    return ", ".join(counted(count, severity.value) for severity, count in counts if count) or phrase("none")


def _each(names: Sequence[str], reports: Sequence[Report]) -> Iterator[tuple[str, Report]]:
    return zip(names, reports, strict=True)
