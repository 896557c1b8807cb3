"""The language server over standard input and output.

Texts are judged in a thread of their own, so that hover and completion need not wait; of several states in a row the
last is judged. The whole text is sent on every change (`Full`): it is small, and the two sides count lines alike.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from hbspec import __version__
from hbspec.catalog import catalog
from hbspec.lsp.actions import actions
from hbspec.lsp.completion import cursor_after, proposals
from hbspec.lsp.hover import hover_lines
from hbspec.lsp.linked import links
from hbspec.lsp.opened import JudgedText, OpenText, judged, opened, recognised
from hbspec.lsp.outline import Outline
from hbspec.lsp.positions import TextPlaces
from hbspec.lsp.published import published
from hbspec.source.limits import MAX_BYTES

T = TypeVar("T")

PAUSE = 0.02
"""Seconds without a key after which a text is judged: shorter than the pause between two keys of a fast typist."""
MOST_PROPOSALS = 200
"""Words of one completion; more are left out, and asked for again as the word grows."""


class SpecServer(LanguageServer):
    """The server, and the texts that its client has open."""

    def __init__(self) -> None:
        super().__init__("hbspec", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.open: dict[str, OpenText] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._judge = ThreadPoolExecutor(max_workers=1)

    @property
    def encoding(self) -> str:
        """How the client counts columns."""
        return types.PositionEncodingKind(self.workspace.position_encoding or types.PositionEncodingKind.Utf16).value

    def report_server_error(self, error: Exception, source: Any) -> None:  # noqa: ARG002 - as pygls calls it
        """Say that something is wrong here, in one line; what an exception says may quote the text."""
        self.window_log_message(
            types.LogMessageParams(types.MessageType.Error, f"hbspec: internal error ({type(error).__name__})")
        )

    def unsaved(self, but: str) -> dict[Path, str]:
        """The texts of the other files that are open, by their real paths."""
        return {one.real: one.text for uri, one in self.open.items() if uri != but}

    def changed(self, uri: str) -> None:
        """Judge a text, and those that extend it, after a pause."""
        real = str(self.open[uri].real)
        for other, one in self.open.items():
            if other == uri or real in one.extended:
                self._judge_later(other)

    def closed(self, uri: str) -> None:
        """Forget a text; those that extend it are judged with the state on the disk."""
        gone = self.open.pop(uri, None)
        if timer := self._waiting.pop(uri, None):
            timer.cancel()
        if gone is None:
            return
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
        for other, one in self.open.items():
            if str(gone.real) in one.extended:
                self._judge_later(other)

    def _judge_later(self, uri: str) -> None:
        if timer := self._waiting.pop(uri, None):
            timer.cancel()
        self._waiting[uri] = asyncio.get_running_loop().call_later(PAUSE, self._judge_now, uri)

    def _judge_now(self, uri: str) -> None:
        self._waiting.pop(uri, None)
        task = asyncio.get_running_loop().create_task(self._judged(uri))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _judged(self, uri: str) -> None:
        one = self.open.get(uri)
        if one is None or not recognised(one):
            return
        one.is_spec, text, version = True, one.text, one.version
        try:
            unsaved = self.unsaved(uri)
            found = await asyncio.get_running_loop().run_in_executor(self._judge, _if_current, one, text, unsaved)
        except Exception as fault:
            self.report_server_error(fault, type(fault))
            return
        if found is not None and self.open.get(uri) is one and one.text == text:
            self._show(one, found, version)

    def _show(self, one: OpenText, found: JudgedText, version: int) -> None:
        one.judged, one.report, one.extended = found.text, found.report, found.extended
        one.analysis = found.analysis or one.analysis
        entries = list(published(one, self.encoding))
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(one.uri, entries, version))

    def answered(self, uri: str, answer: Callable[[OpenText], T], otherwise: T) -> T:
        """The answer of a request on a spec that is open; `otherwise` where there is none, or it cannot be given."""
        one = self.open.get(uri)
        if one is None or len(one.text) > MAX_BYTES or not recognised(one):
            return otherwise
        try:
            return answer(one)
        except Exception as fault:
            self.report_server_error(fault, type(fault))
            return otherwise


def _if_current(one: OpenText, text: str, unsaved: Mapping[Path, str]) -> JudgedText | None:
    """What is found in a state of a text; None if it was left behind while others were judged."""
    return judged(one, text, unsaved) if one.text == text else None


def server() -> SpecServer:
    """A server with everything that it answers."""
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # its tracebacks would quote the text
    made = SpecServer()
    _follow_texts(made)
    _answer_requests(made)
    return made


def _follow_texts(made: SpecServer) -> None:
    @made.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        made.open[document.uri] = opened(document.uri, document.text, document.version)
        made.changed(document.uri)

    @made.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        one = made.open.get(params.text_document.uri)
        if one is not None and params.content_changes:
            one.text, one.version = params.content_changes[-1].text, params.text_document.version
            made.changed(one.uri)

    @made.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        made.closed(params.text_document.uri)

    @made.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(_: types.DidSaveTextDocumentParams) -> None:
        """A file may have been saved that others name: all are judged again."""
        for uri in made.open:
            made.changed(uri)


def _answer_requests(made: SpecServer) -> None:
    @made.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        return made.answered(params.text_document.uri, lambda one: _hover(made, one, params.position), None)

    @made.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[":", " ", "/", ".", "-"]))
    def completion(params: types.CompletionParams) -> types.CompletionList:
        nothing = types.CompletionList(is_incomplete=False, items=[])
        return made.answered(params.text_document.uri, lambda one: _completion(made, one, params.position), nothing)

    @made.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    )
    def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        def answer(one: OpenText) -> list[types.CodeAction]:
            unsaved, shown_as = made.unsaved(one.uri), list(params.context.diagnostics)
            return list(actions(one, params.range, shown_as, unsaved, made.encoding))

        return made.answered(params.text_document.uri, answer, [])

    @made.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK)
    def document_link(params: types.DocumentLinkParams) -> list[types.DocumentLink]:
        uri = params.text_document.uri
        return made.answered(uri, lambda one: list(links(one, Outline(one.text), made.encoding)), [])


def _hover(made: SpecServer, one: OpenText, place: types.Position) -> types.Hover | None:
    places = TextPlaces(one.text, made.encoding)
    entry = Outline(one.text).at(place.line, places.column(place))
    lines = list(hover_lines(entry, catalog(), one.analysis)) if entry else []
    if entry is None or not lines:
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, "\n\n".join(lines))
    return types.Hover(content, places.range_on(entry.line, entry.start, entry.end))


def _completion(made: SpecServer, one: OpenText, place: types.Position) -> types.CompletionList:
    places = TextPlaces(one.text, made.encoding)
    cursor = cursor_after(places.before(place))
    column = places.column(place)
    word = places.line(place.line)[cursor.start : column].strip("\"'").casefold()
    there = places.range_on(place.line, cursor.start, column)
    fitting = [one for one in proposals(cursor, Outline(one.text), catalog()) if word in one.word.casefold()]
    items = [
        types.CompletionItem(
            label=proposal.word,
            detail=proposal.about or None,
            kind=types.CompletionItemKind.Property if proposal.is_key else types.CompletionItemKind.Value,
            sort_text=proposal.order,
            filter_text=proposal.word,
            text_edit=types.TextEdit(there, proposal.text),
        )
        for proposal in fitting[:MOST_PROPOSALS]
    ]
    return types.CompletionList(is_incomplete=len(fitting) > MOST_PROPOSALS, items=items)
