"""What changes between two versions: a sentence for each spec, then its keys, figures, findings and job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hbspec.comparison.changed import SpecChange
from hbspec.comparison.keys import ChangedKey
from hbspec.comparison.version import SpecVersion
from hbspec.diagnostics import Diagnostic, Severity, route_text
from hbspec.render.answer import answer
from hbspec.render.compared import TITLES, figure_cells, figure_lines, findings_text
from hbspec.render.differences import difference_text, value_text
from hbspec.render.lines import Line, wrapped
from hbspec.render.markdown import escaped, folded, table
from hbspec.render.rows import LEAD, rows, section
from hbspec.showing.secrets import redact_route
from hbspec.source.excerpts import printable
from hbspec.units import counted

if TYPE_CHECKING:
    from hbspec.comparison.projects import Diff

NAMES = ("old", "new")
UNSET = "not set"


def diff_lines(diff: Diff, width: int | None = None) -> Iterator[Line]:
    """The verdict, and every spec that differs."""
    yield from wrapped((("title", _counts(diff)),), width, 2 * len(LEAD))
    for change in diff.specs:
        if change.differs:
            yield ()
            yield from wrapped((("path", printable(change.file)),), width, 2 * len(LEAD))
            for said in _parts(change):
                yield from wrapped((("", f"{LEAD}{said}"),), width, 2 * len(LEAD))
            yield from _change_lines(change, width)


def verdict(diff: Diff) -> str:
    """One line on everything, for the first line of a comment."""
    changed = [change for change in diff.specs if change.differs]
    return f"{_counts(diff)}. {sentence(changed[0])}" if len(changed) == 1 else _counts(diff)


def _counts(diff: Diff) -> str:
    """How many specs are changed between which versions, and how many new errors there are."""
    changed = [change for change in diff.specs if change.differs]
    same = len(diff.specs) - len(changed) + diff.unchanged
    between = f"from {printable(diff.old)} to {printable(diff.new)}"
    if not changed:
        return f"No differences {between}: {counted(same, 'spec')}"
    others = f", {same:,} unchanged" if same else ""
    errors = counted(diff.new_errors, "new error") if diff.new_errors else "no new errors"
    return f"{counted(len(changed), 'spec')} changed{others} {between}: {errors}"


def sentence(change: SpecChange) -> str:
    """One line on a spec."""
    return f"{printable(change.file)}: {'; '.join(_parts(change))}"


def _parts(change: SpecChange) -> Iterator[str]:
    """Whether a spec fits, what its time and cost differ by, its new findings, and its job."""
    yield from (*_fits(change), *_differences(change), *_found(change))
    if change.resumes is not None:
        yield "the same job" if change.resumes else "another job, which does not resume the old one"


def diff_markdown(diff: Diff) -> Iterator[str]:
    """A comment on a pull request: the verdict, tables for each spec, and everything folded below them."""
    yield f"**hbspec**: {escaped(verdict(diff))}"
    changed = [change for change in diff.specs if change.differs]
    for change in changed:
        if len(changed) > 1:
            yield from ("", f"#### {escaped(sentence(change))}")
        if change.keys:
            yield ""
            yield from table(("Key", "Old", "New"), (_key_cells(key) for key in change.keys))
        if change.figures:
            yield ""
            names = _names(change)
            yield from table(("", *names), (figure_cells(figure, names) for figure in change.figures))
        yield ""
        yield from (f"- {escaped(text)}" for text in _notes(change))
        yield from ("", *folded("All differences", _change_lines(change, None)))


def _change_lines(change: SpecChange, width: int | None) -> Iterator[Line]:
    if change.keys:
        yield from section("Keys", width)
        yield from rows(((_key_name(key), *_key_change(key, change.file)) for key in change.keys), width)
    yield from _figure_lines(change, width)
    if change.appeared or change.gone:
        yield from section("Findings", width)
        for mark, style, entries in (("new ", "bad", change.appeared), ("gone", "good", change.gone)):
            for entry in entries:
                yield from wrapped(((style, f"{LEAD}{mark}{LEAD}"), *_finding(entry)), width, 2 * len(LEAD))
    notes = tuple(_notes(change))
    if notes:
        yield from section("Notes", width)
        for text in notes:
            yield from wrapped((("open", f"{LEAD}- "), ("", text)), width, 2 * len(LEAD))


def _figure_lines(change: SpecChange, width: int | None) -> Iterator[Line]:
    """The figures that differ; all figures of a version that has no other beside it."""
    names = _names(change)
    if len(names) == 1:
        yield from section(f"Figures of the {names[0]} version", width)
        yield from rows(((TITLES[figure.name], value_text(figure, 0), "") for figure in change.figures), width)
        return
    for figure in change.figures:
        if any(found is None or not found.same for found in figure.differences[1:]):
            yield from figure_lines(figure, names, width)


def _fits(change: SpecChange) -> Iterator[str]:
    """The verdict on memory, old and new; of a version that cannot be estimated, its errors."""
    old, new = (None if one is None else _verdict(one) for one in (change.old, change.new))
    if old is None or new is None:
        yield change.status
        if new is not None:
            yield new
    elif old == new:
        yield f"{new}, as before"
    else:
        yield f"{new}; before, {old[0].lower()}{old[1:]}"


def _verdict(found: SpecVersion) -> str:
    if found.estimates is None:
        return f"It cannot be estimated ({findings_text(found.found)})"
    return next(answer(found.estimates)).answer


def _differences(change: SpecChange) -> Iterator[str]:
    for figure in change.figures:
        if figure.name not in ("time", "cost"):
            continue
        if change.both:
            said = difference_text(figure, 1, "before")
            yield f"{TITLES[figure.name].lower()}: {said or 'not known'}"
        elif change.new and change.new.estimates:
            yield f"{TITLES[figure.name].lower()}: {value_text(figure, 0)}"


def _found(change: SpecChange) -> Iterator[str]:
    for severity in Severity:
        count = sum(entry.severity is severity for entry in change.appeared)
        if count:
            yield counted(count, f"new {severity.value}")
    if change.gone:
        yield f"{counted(len(change.gone), 'finding')} gone"


def _notes(change: SpecChange) -> Iterator[str]:
    """What has no row: files with another content, what is unfair, and what becomes of checkpoints."""
    for key, file in change.contents:
        yield f"{printable(key)}: {printable(file)} has another content"
    for said in change.unfair:
        yield f"not like with like: {printable(said)} (A is the old version, B the new one)"
    old, new = change.jobs
    if change.resumes:
        yield f"the job is {new} in both, so that it resumes from checkpoints of the old version"
    elif old is not None and new is not None:
        yield f"the job {old} becomes {new}, which does not resume from checkpoints of the old version"
    elif change.status == "changed":
        yield "whether checkpoints are resumed is not known: SageMaker's request cannot be made of both versions"


def _names(change: SpecChange) -> tuple[str, ...]:
    """The name of each version that can be estimated."""
    each = zip(NAMES, (change.old, change.new), strict=True)
    return tuple(name for name, one in each if one and one.estimates)


def _key_name(key: ChangedKey) -> str:
    return printable(route_text(redact_route(key.route)))


def _key_change(key: ChangedKey, file: str) -> tuple[str, str]:
    """The old and the new value, and the file that sets it, if it is another one than the spec."""
    change = f"{printable(key.old or UNSET)} -> {printable(key.new or UNSET)}"
    return change, "" if key.file in (None, file) else f"in {printable(key.file or '')}"


def _key_cells(key: ChangedKey) -> tuple[str, str, str]:
    return escaped(_key_name(key)), escaped(key.old or UNSET), escaped(key.new or UNSET)


def _finding(entry: Diagnostic) -> Line:
    place = route_text(entry.route)
    where = f"{printable(place)}: " if place else ""
    return (
        (entry.severity.value, f"{entry.severity.value}[{entry.code}]"),
        ("", f" {where}{printable(entry.message)}"),
    )
