"""The messages about the faults of one YAML text."""

from __future__ import annotations

from hbspec.diagnostics import Fix, Position, Route, Span, route_text
from hbspec.manual import text as pages
from hbspec.source.characters import code_point, position_of
from hbspec.source.excerpts import printable, quoted
from hbspec.source.limits import MAX_DEPTH, MAX_NODES
from hbspec.source.nodes import Node, ScalarNode, kind_of
from hbspec.source.problems import Problems
from hbspec.source.scalars import UnusableNumberError
from hbspec.source.syntax import Explanation


class Faults:
    """Adds the faults of one text to `problems`: one method per fault, with its span and its route."""

    def __init__(self, text: str, file: str, problems: Problems) -> None:
        self._text = text
        self._file = file
        self._problems = problems

    def control_characters(self, indices: list[int]) -> None:
        """Invisible characters in the text, given by their indices."""
        position = position_of(self._text, indices[0])
        others = f" ({len(indices):,} such characters in all)" if indices[1:] else ""
        self._problems.add(
            pages.CONTROL_CHARACTER,
            Span(self._file, position, Position(position.line, position.column + 1)),
            f"the text contains the invisible character {code_point(self._text[indices[0]])}{others}",
            "remove it; end lines with LF or CR LF, and indent with spaces",
        )

    def escaped_control_character(self, character: str, span: Span, route: Route) -> None:
        """An invisible character that is written as an escape sequence."""
        message = f"this string contains the invisible character {code_point(character)}"
        self._problems.add(pages.CONTROL_CHARACTER, span, message, "remove the escape sequence", route=route)

    def unusable_number(self, text: str, reason: UnusableNumberError, span: Span, route: Route) -> None:
        """A number that is not finite, or too long."""
        help_ = "write a finite number, or quote it if a string is meant"
        self._problems.add(pages.UNUSABLE_NUMBER, span, f"{quoted(text, 30)} {reason}", help_, route=route)

    def tag(self, tag: str, span: Span, route: Route) -> None:
        """An explicit type."""
        shown = quoted(tag.replace("tag:yaml.org,2002:", "!!", 1))
        message = f"the tag {shown} asks for a special type, but a spec holds only plain data"
        self._problems.add(pages.NOT_PLAIN_DATA, span, message, "remove the tag; quotes make a string", route=route)

    def comparison(self, text: str, range_: str, span: Span, route: Route) -> None:
        """A bound written with a comparison sign; `range_` is the range that it means."""
        action = f"write `{range_}`"
        message = f"{quoted(text)} is not a bound in YAML" + (f" for {quoted(route_text(route))}" if route else "")
        fixes = (Fix(action, route, range_),)
        self._problems.add(pages.COMPARISON_SIGN, span, message, action, route=route, fixes=fixes)

    def unknown_alias(self, name: str, span: Span, route: Route) -> None:
        """An alias without an anchor before it."""
        message = f"{quoted('*' + name)} repeats a value, but no earlier value is marked {quoted('&' + name)}"
        help_ = "mark the value with the anchor, or quote the string if the asterisk belongs to it"
        self._problems.add(pages.UNKNOWN_ALIAS, span, message, help_, route=route)

    def looping_alias(self, name: str, span: Span, route: Route) -> None:
        """An alias inside its own anchor."""
        message = f"{quoted('*' + name)} is used inside {quoted('&' + name)}, so the value would contain itself"
        help_ = "delete the alias, or write the keys that you want"
        self._problems.add(pages.LOOPING_ALIAS, span, message, help_, route=route)

    def too_large(self, count: int, span: Span, route: Route) -> None:
        """More values or deeper nesting than a spec may have."""
        message = f"the text is nested more than {MAX_DEPTH} levels deep"
        help_ = f"remove levels of nesting here, to at most {MAX_DEPTH}"
        if count > MAX_NODES:
            message = f"the spec has {count:,} keys and values up to here (aliases expanded), more than {MAX_NODES:,}"
            help_ = f"delete keys, list items or aliases, to at most {MAX_NODES:,} keys and values in the spec"
        self._problems.add(pages.OVER_LIMIT, span, message, help_, route=route)

    def key_not_text(self, node: Node, route: Route) -> None:
        """A key that is not a string."""
        spelled = node.spelling if isinstance(node, ScalarNode) else ""
        message = f"a key must be a string, but {quoted(spelled) if spelled else 'this one'} is {kind_of(node)}"
        help_ = f'quote it ("{printable(spelled)}") if it is a name' if spelled else "write the key's name"
        self._problems.add(pages.KEY_NOT_TEXT, node.span or self._file, message, help_, route=route)

    def merge_key(self, node: Node, route: Route) -> None:
        """The merge key `<<`."""
        message = "the merge key `<<` is not part of YAML 1.2"
        help_ = "delete the line and write its keys here, repeat a whole value with `key: *name`, or use `extends`"
        self._problems.add(pages.MERGE_KEY, node.span or self._file, message, help_, route=route)

    def duplicate_key(self, key: str, first: Span, node: Node, route: Route) -> None:
        """A key that the mapping already has, at `first`."""
        message = f"the key {quoted(key)} is already on line {first.start.line}"
        self._problems.add(pages.DUPLICATE_KEY, node.span or self._file, message, "keep one of the two", route=route)

    def second_document(self, span: Span) -> None:
        """A second YAML document in the text."""
        message = "a second document begins here, but a spec is one document"
        self._problems.add(pages.SEVERAL_DOCUMENTS, span, message, "move it to a separate file")

    def empty(self) -> None:
        """A text without a document."""
        help_ = "begin with `hbspec: 1`, or run `hbspec init` for a spec to start from"
        self._problems.add(pages.NOT_A_MAPPING, self._file, "the file contains no values", help_)

    def syntax(self, explanation: Explanation, route: Route) -> None:
        """A syntax error, explained."""
        if explanation.range_:
            self.comparison(explanation.message, explanation.range_, explanation.span, route)
        else:
            self._problems.add(explanation.defect, explanation.span, explanation.message, explanation.help, route=route)
