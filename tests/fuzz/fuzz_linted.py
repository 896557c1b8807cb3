"""One case through what stands around the check: fixes, a policy, and the language server's answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fuzz_judge import TODAY, run_each
from fuzz_mutations import Case
from lsprotocol import types

from hbspec.api import check
from hbspec.catalog import catalog
from hbspec.configuration import ConfigurationError
from hbspec.fixes.fixing import UNREAD, Fixed, fixed
from hbspec.lsp.actions import actions
from hbspec.lsp.completion import cursor_after, proposals
from hbspec.lsp.hover import hover_lines
from hbspec.lsp.linked import links
from hbspec.lsp.opened import OpenText, judged, recognised
from hbspec.lsp.outline import Outline
from hbspec.lsp.positions import TextPlaces
from hbspec.lsp.published import published
from hbspec.policy import Policy, read_policy
from hbspec.source import SourceError, load
from hbspec.source.edited_document import with_settings

FILE = Path("job.yaml")
POLICY = """policy: 1
max_job_cost: 500 USD
regions: [ca-central-1, us-*]
instance_types: [ml.g5.*, ml.p4d.24xlarge]
spot_only: true
tags: {owner: "*"}
kms_required: true
"""
PLACES = 12
"""Places of a text at which the editor asks."""
ENCODING = "utf-16"


def run(kind: str, numbers: Sequence[int]) -> list[str]:
    """Judges cases in a folder of their own; returns a text for each that failed. For a worker process."""
    return run_each(kind, numbers, linted)


def linted(one: Case, begin: Callable[[], None]) -> list[str]:
    """What fixes, a policy and the language server did with a case that they must never do."""
    try:
        data = one.spec if isinstance(one.spec, bytes) else json.dumps(one.spec, default=str, skipkeys=True).encode()
    except (ValueError, RecursionError):  # a mapping that holds itself, or a number too long: no file has it
        return []
    FILE.write_bytes(data)
    begin()
    problems = list(_policed(data))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return problems
    begin()
    problems += _fixed(text.removeprefix("\ufeff"))
    begin()
    return problems + list(_edited(text))


def _fixed(text: str) -> Iterator[str]:
    """Of the fixes: they are those of the text, say what they do, lose nothing, and leave nothing to fix."""
    found = _with_fixes(text)
    if found.before != text:
        yield "the text before the fixes is another"
    if found.after == text:
        if found.applied:
            yield "fixes are said to be applied, and are not"
        return
    if not found.applied:
        yield "the text is changed, and no fix is said to be applied"
    values = load(FILE, text=text).values
    for one in found.applied:
        values = with_settings(values, {one.fix.route: one.fix.value})
    if _told(load(FILE, text=found.after).values) != _told(values):
        yield f"other values than those of the fixes: {found.after}"
    left = [line for line in found.after.splitlines() if line not in text.splitlines()]
    if len(left) > len(found.applied):
        yield f"more lines are changed than fixes: {left}"
    again = _with_fixes(found.after)
    if again.after != found.after:
        yield f"fixing again changes more: {[one.finding.code for one in again.applied]}"
    first = check(FILE, text=text, as_of=TODAY)
    new = {one.code for one in found.report.diagnostics} - {one.code for one in first.diagnostics} - set(first.skipped)
    also = {code for one in first.diagnostics for code, _ in one.also}
    if new - also and not any(UNREAD.fullmatch(one.code) for one in first.diagnostics):
        yield f"fixes bring {new - also}"


def _with_fixes(text: str) -> Fixed:
    return fixed(text, lambda: load(FILE, text=text), lambda one: check(FILE, text=one, as_of=TODAY), unsafe=True)


def _told(values: dict) -> dict:
    """Values without sections that have no keys."""
    return {key: value for key, value in values.items() if value != {}}


def _policed(data: bytes) -> Iterator[str]:
    """Of a policy: the case is judged by one, and is one."""
    Path("policy.yaml").write_text(POLICY)
    policy = read_policy(Path("policy.yaml"))
    judged_by = check(FILE, policy=policy, as_of=TODAY)
    json.dumps(judged_by.to_dict(), allow_nan=False)
    alone = check(FILE, as_of=TODAY)
    lost = {(one.code, one.route) for one in alone.diagnostics} - {
        (one.code, one.route) for one in judged_by.diagnostics
    }
    if lost and any(one.code < "HB1" for one in judged_by.diagnostics) != any(
        one.code < "HB1" for one in alone.diagnostics
    ):
        yield f"with a policy, {lost} is not found"
    Path("policy.yaml").write_bytes(data.replace(b"hbspec:", b"policy:", 1))
    try:
        if not isinstance(read_policy(Path("policy.yaml")), Policy):
            yield "no policy is read, and none is refused"
    except ConfigurationError as wrong:
        if not wrong.diagnostics or not all(one.message and one.help for one in wrong.diagnostics):
            yield "a policy is refused without a reason"


def _edited(text: str) -> Iterator[str]:
    """Of the language server: findings, hover, completion, links and fixes at some places of the text."""
    uri = FILE.absolute().as_uri()
    one = OpenText(uri, str(FILE.absolute()), text, 1)
    if not recognised(one):
        return
    found = judged(one, text, {})
    one.judged, one.report, one.analysis = found.text, found.report, found.analysis
    shown = list(published(one, ENCODING))
    outline, places = Outline(text), TextPlaces(text, ENCODING)
    list(links(one, outline, ENCODING))
    for entry in outline.entries[:: max(1, len(outline.entries) // PLACES)]:
        list(hover_lines(entry, catalog(), one.analysis))
        place = types.Position(entry.line, places.range_on(entry.line, 0, entry.end).end.character)
        list(proposals(cursor_after(places.before(place)), outline, catalog()))
    everywhere = types.Range(types.Position(0, 0), types.Position(text.count("\n") + text.count("\r") + 1, 0))
    for action in actions(one, everywhere, shown, {}, ENCODING):
        (edit,) = action.edit.changes[uri]
        try:
            load(FILE, text=_applied(text, edit, places))
        except SourceError as broken:
            yield f"{action.title} breaks the text: {broken}"


def _applied(text: str, edit: types.TextEdit, places: TextPlaces) -> str:
    before = places.before(edit.range.start)
    after = places.before(edit.range.end)
    start, end = (len(_same_ends(text, one)) for one in (before, after))
    return text[:start] + edit.new_text + text[end:]


def _same_ends(text: str, part: str) -> str:
    """The beginning of a text that a part of it spells with other line ends."""
    at = 0
    for sign in part:
        at += 2 if sign == "\n" and text[at : at + 2] == "\r\n" else 1
    return text[:at]
