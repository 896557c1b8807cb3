"""How the faults of one YAML text are worded."""

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
    """Notes the faults of one text; every method says one of them, at a span and for a route."""

    def __init__(self, text: str, file: str, problems: Problems) -> None:
        self._text = text
        self._file = file
        self._problems = problems

    def control_characters(self, indices: list[int]) -> None:
        """Characters of the text itself, by their indices."""
        position = position_of(self._text, indices[0])
        others = f" ({len(indices):,} such characters in all)" if indices[1:] else ""
        self._problems.add(
            pages.CONTROL_CHARACTER,
            Span(self._file, position, Position(position.line, position.column + 1)),
            f"the text holds the character {code_point(self._text[indices[0]])}, which cannot be seen{others}",
            "Remove it; lines end with LF or CR LF, and indentation is made of spaces",
        )

    def escaped_control_character(self, character: str, span: Span, route: Route) -> None:
        """A character that an escape sequence stands for."""
        message = f"this text holds the character {code_point(character)}, which cannot be seen"
        self._problems.add(pages.CONTROL_CHARACTER, span, message, "Remove the escape sequence", route=route)

    def unusable_number(self, text: str, reason: UnusableNumberError, span: Span, route: Route) -> None:
        """A number that is not finite, or too long."""
        help_ = "Write a finite number, or put it in quotes if it is meant as text"
        self._problems.add(pages.UNUSABLE_NUMBER, span, f"{quoted(text, 30)} {reason}", help_, route=route)

    def tag(self, tag: str, span: Span, route: Route) -> None:
        """An explicit type."""
        shown = quoted(tag.replace("tag:yaml.org,2002:", "!!", 1))
        message = f"the tag {shown} asks for a special type, and a spec holds plain data only"
        self._problems.add(
            pages.NOT_PLAIN_DATA, span, message, "Remove the tag; quotes make text of a value", route=route
        )

    def comparison(self, text: str, range_: str, span: Span, route: Route) -> None:
        """A bound written with a comparison sign; `range_` is what it means."""
        action = f"Write `{range_}`"
        message = f"{quoted(text)} is no bound in YAML" + (f" for {quoted(route_text(route))}" if route else "")
        fixes = (Fix(action, route, range_),)
        self._problems.add(pages.COMPARISON_SIGN, span, message, action, route=route, fixes=fixes)

    def unknown_alias(self, name: str, span: Span, route: Route) -> None:
        """An alias without an anchor above it."""
        message = f"{quoted('*' + name)} repeats a value, but nothing above is marked {quoted('&' + name)}"
        help_ = "Mark the value with the anchor, or put the text in quotes if the star belongs to it"
        self._problems.add(pages.UNKNOWN_ALIAS, span, message, help_, route=route)

    def looping_alias(self, name: str, span: Span, route: Route) -> None:
        """An alias inside its own anchor."""
        message = f"{quoted('*' + name)} stands inside the value that it repeats"
        self._problems.add(pages.LOOPING_ALIAS, span, message, "Write out what is meant here", route=route)

    def too_large(self, count: int, span: Span, route: Route) -> None:
        """More values than a spec may have, or deeper ones."""
        message = f"the text is nested more than {MAX_DEPTH} levels deep"
        if count > MAX_NODES:
            message = f"with aliases expanded there are {count:,} keys and values up to here, more than {MAX_NODES:,}"
        self._problems.add(pages.OVER_LIMIT, span, message, "Make the spec smaller here", route=route)

    def key_not_text(self, node: Node, route: Route) -> None:
        """A key of another kind."""
        spelled = node.spelling if isinstance(node, ScalarNode) else ""
        message = f"a key must be text, and {quoted(spelled) if spelled else 'this one'} is {kind_of(node)}"
        help_ = f'Put it in quotes ("{printable(spelled)}") if it is a name' if spelled else "Write the key's name"
        self._problems.add(pages.KEY_NOT_TEXT, node.span or self._file, message, help_, route=route)

    def merge_key(self, node: Node, route: Route) -> None:
        """`<<` as a key."""
        message = "the merge key `<<` is not part of YAML 1.2"
        help_ = "Repeat the whole value with `*name`, write its keys out, or merge files with `extends`"
        self._problems.add(pages.MERGE_KEY, node.span or self._file, message, help_, route=route)

    def duplicate_key(self, key: str, first: Span, node: Node, route: Route) -> None:
        """A key that the map has already, at `first`."""
        message = f"the key {quoted(key)} stands here again; it is on line {first.start.line} already"
        self._problems.add(pages.DUPLICATE_KEY, node.span or self._file, message, "Keep one of the two", route=route)

    def second_document(self, span: Span) -> None:
        """A second document in the text."""
        message = "a second document begins here, and a spec is one document"
        self._problems.add(pages.SEVERAL_DOCUMENTS, span, message, "Move it to a file of its own")

    def empty(self) -> None:
        """No document in the text."""
        help_ = "Begin with `hbspec: 1`, or let `hbspec init` write a spec to start from"
        self._problems.add(pages.NOT_A_MAPPING, self._file, "the file holds no values", help_)

    def syntax(self, explanation: Explanation, route: Route) -> None:
        """What the parser could not read."""
        if explanation.range_:
            self.comparison(explanation.message, explanation.range_, explanation.span, route)
        else:
            self._problems.add(explanation.defect, explanation.span, explanation.message, explanation.help, route=route)
