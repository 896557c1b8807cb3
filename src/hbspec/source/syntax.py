"""Explanations of YAML syntax errors in plain words.

libyaml and PyYAML's scanner word the same error differently, so errors are distinguished by the words that both use and
by the characters at the marks.
"""

from __future__ import annotations

from typing import NamedTuple

import yaml

from hbspec.diagnostics import Position, Span
from hbspec.manual import Page
from hbspec.manual import text as pages
from hbspec.source.characters import lines_of
from hbspec.source.comparisons import comparison
from hbspec.source.excerpts import quoted


class Explanation(NamedTuple):
    """An explained error. If `range_` is set, `message` is a comparison that means this range."""

    span: Span
    message: str
    help: str
    defect: Page = pages.YAML_SYNTAX
    range_: str | None = None


def explain(
    error: yaml.MarkedYAMLError, text: str, file: str, *, opening: Position | None, expects_key: bool
) -> Explanation:
    """The explanation of an error of PyYAML's parser, at the place that the author has to correct.

    `opening` is the position of the innermost open bracket; `expects_key` is whether the parser expected a key.
    """
    return _Explainer(error, text, file, opening, expects_key).explanation()


class _Explainer:
    def __init__(
        self, error: yaml.MarkedYAMLError, text: str, file: str, opening: Position | None, expects_key: bool
    ) -> None:
        self.problem: str = error.problem or ""
        self.context: str = error.context or ""
        self.file = file
        self.opening = opening
        self.expects_key = expects_key
        self.lines = lines_of(text)
        self.here = _position(error.problem_mark) or _position(error.context_mark) or Position(1, 1)
        self.began = _position(error.context_mark) or self.here

    def explanation(self) -> Explanation:
        return (
            self._comparison()
            or self._tab()
            or self._quotes()
            or self._brackets()
            or self._indentation()
            or self._signs()
            or self._at(
                self.here, f"this is not YAML: {self.problem}", "check the indentation, quotes and brackets here"
            )
        )

    def _comparison(self) -> Explanation | None:
        place = self.began if "block scalar" in self.context else self.here
        written = self._rest(place)
        found = comparison(written) if written.startswith(">") and not self.expects_key else None
        return found and self._at(place, found[0], "", width=len(found[0]), range_=found[1])

    def _tab(self) -> Explanation | None:
        if not self._rest(self.here).startswith("\t"):
            return None
        return self._at(self.here, "the indentation contains a tab", "indent with spaces")

    def _quotes(self) -> Explanation | None:
        if "quoted scalar" not in self.context:
            return None
        if "escape" in self.problem or "hex" in self.problem:
            help_ = "double the backslash, or use single quotes (\"C:\\\\temp\" or 'C:\\temp')"
            return self._at(self.here, "YAML does not have this escape sequence", help_)
        quote = self._rest(self.began)[:1]
        return self._at(self.began, f"the quote `{quote}` that opens here is never closed", f"close it with `{quote}`")

    def _brackets(self) -> Explanation | None:
        if "flow" not in self.context and not (self._at_end() and self.opening):
            return None
        opening = self.opening or self.began
        bracket = self._rest(opening)[:1]
        closing = "]" if bracket == "[" else "}"
        if self._at_end() or self.here.line > opening.line:
            before = "" if self._at_end() else f" before line {self.here.line}"
            message = f"the bracket `{bracket}` that opens here is not closed{before}"
            return self._at(opening, message, f"close it with `{closing}`, and put commas between its entries")
        if "node content" in self.problem:
            return None
        expected = f"expected `,` or `{closing}` for the `{bracket}` in column {opening.column}"
        message = f"{expected}, but found {self._character()}"
        return self._at(self.here, message, "put a comma between entries, and quote strings with special characters")

    def _indentation(self) -> Explanation | None:
        line = self._line(self.here)
        before = line[: self.here.column - 1]
        indent = len(line) - len(line.lstrip(" "))
        first = Position(self.here.line, indent + 1)
        if "mapping values" in self.problem or "mapping keys" in self.problem:
            if ": " in before or before.lstrip(" ").startswith(('"', "'")):
                return self._at(self.here, "a second colon turns this value into a mapping", "quote the value")
            return self._at(first, self._deeper(indent), "align it with the keys of its mapping")
        if "could not find expected ':'" in self.problem:
            return self._at(
                self.began,
                "this line is neither a key with a value nor part of one",
                "write `key: value`, with a space after the colon",
            )
        if "sequence entries" in self.problem:
            help_ = "begin the list on the next line, or write it as `[a, b]`"
            return self._at(self.here, "a list cannot begin on the line of its key", help_)
        if not any(f"block {kind}" in self.context for kind in ("mapping", "collection", "sequence")):
            return None
        if before.strip(" -"):
            help_ = "quote the whole value (and double any quote inside it), or remove the rest of the line"
            return self._at(self.here, f"{self._character()} follows a complete value", help_)
        if self._rest(self.here).startswith(":"):
            return self._at(self.here, "the key before this colon is missing", "write the key's name")
        if "mapping" not in self.context and indent + 1 == self.began.column:
            return self._at(
                self.here,
                f"the list that begins on line {self.began.line} continues here without a dash",
                "begin the line with `- `",
            )
        return self._at(first, self._astray(indent), "align it with the lines that it belongs to")

    def _signs(self) -> Explanation | None:
        if "anchor" in self.context or "alias" in self.context:
            sign = self._rest(self.began)[:1]
            return self._at(
                self.began, f"`{sign}` begins an anchor or an alias, but no name follows", "quote the string"
            )
        if "tag" in self.context or "tag" in self.problem:
            message = "`!` begins a tag, but a spec holds only plain data"
            return self._at(self.began, message, "remove the tag, or quote the string", defect=pages.NOT_PLAIN_DATA)
        if "block scalar" in self.context:
            sign = self._rest(self.began)[:1]
            message = f"`{sign}` begins a string on the next lines, but more follows it on this line"
            return self._at(self.began, message, "quote the string")
        if "start any token" in self.problem or "node content" in self.problem:
            return self._at(self.here, f"a value cannot begin with {self._character()}", "quote the string")
        if "unexpected ':'" in self.problem:
            return self._at(self.here, "a string in brackets cannot end with a colon", "quote the string")
        if "document start" in self.problem:
            message = "more text follows the end of the document, but a spec is one document"
            return self._at(
                self.here, message, "remove the line `...`, or the lines after it", defect=pages.SEVERAL_DOCUMENTS
            )
        if self._line(self.here).startswith("%"):
            return self._at(Position(self.here.line, 1), "YAML does not have this directive", "remove the line")
        return None

    def _deeper(self, indent: int) -> str:
        return f"this key is indented by {indent}, but the line above is a complete value and cannot contain keys"

    def _astray(self, indent: int) -> str:
        earlier = reversed(self.lines[: self.here.line - 1])
        above = next((line for line in earlier if line.strip() and line.strip()[0] != "#"), "")
        other = len(above) - len(above.lstrip(" "))
        return f"this line is indented by {indent} and the one above by {other}, which matches no block above"

    def _line(self, place: Position) -> str:
        return self.lines[place.line - 1] if place.line <= len(self.lines) else ""

    def _rest(self, place: Position) -> str:
        return self._line(place)[place.column - 1 :]

    def _character(self) -> str:
        return quoted(self._rest(self.here)[:1]) if self._rest(self.here) else "the end of the line"

    def _at_end(self) -> bool:
        return not self._rest(self.here).strip() and not any(line.strip() for line in self.lines[self.here.line :])

    def _at(
        self,
        place: Position,
        message: str,
        help_: str,
        *,
        width: int = 1,
        defect: Page = pages.YAML_SYNTAX,
        range_: str | None = None,
    ) -> Explanation:
        last = Position(max(1, len(self.lines)), len(self.lines[-1]) + 1)
        place = min(place, last)
        return Explanation(
            Span(self.file, place, Position(place.line, place.column + width)), message, help_, defect, range_
        )


def _position(mark: yaml.Mark | None) -> Position | None:
    return None if mark is None else Position(mark.line + 1, mark.column + 1)
