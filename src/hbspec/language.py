"""The language in which a result is said: English as it is written, or a translation of it.

A phrase is written in English where it is used, with names for what it holds: `phrase("The budget is {budget}.",
budget=limit)`. Nothing else is needed for English, which is what every command speaks; a report may ask for another
language, and then the phrase is looked up in a catalogue of translations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from typing import Any, Protocol


class Language(Protocol):
    """A language other than English."""

    @property
    def code(self) -> str:
        """ISO 639-1, which a page names as its language."""

    @property
    def axes(self) -> Mapping[str, object]:
        """How charts write the numbers of their axes, as d3-format takes it: https://d3js.org/d3-format ."""

    def translated(self, english: str) -> str | None:
        """A phrase, a name or a template in this language; None where the catalogue does not have it."""

    def noun(self, english: str, number: float) -> str:
        """A noun in the form that stands beside a number."""

    def number(self, english: str) -> str:
        """A number that English writes as `1,234.50`."""

    def quantity(self, number: str, unit: str) -> str:
        """A number of this language with the English symbol of its unit."""

    def money(self, english: str, currency: str) -> str:
        """An amount that English writes as `1,234.50`, with its currency (ISO 4217 code)."""

    def day(self, day: date) -> str:
        """A day."""


_SPOKEN: ContextVar[Language | None] = ContextVar("language", default=None)


@contextmanager
def speaking(language: Language | None) -> Iterator[None]:
    """Let everything in the block be said in a language; None is English."""
    token = _SPOKEN.set(language)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


class English(str):
    """A text that is English in every language: a finding's, a source's, a reason that is not in the catalogue."""

    __slots__ = ()


class Phrase(str):
    """A text that remembers what it was made of, so that it can be said again in another language.

    Attributes:
        template: the English text with the names of what it holds in braces.
        values: what it holds.
        language: in which it is said; None is English.
        pieces: the text again, cut where it changes between the language and English.
    """

    template: str
    values: Mapping[str, Any]
    language: Language | None
    pieces: Sequence[str]


def phrase(english: str, /, **values: object) -> Phrase:
    """An English text with values in the places of their names, in the language that is spoken.

    >>> phrase("{low} to {high}", low=1, high=2)
    '1 to 2'
    """
    language = _SPOKEN.get()
    if language is None:
        return _made((english.format(**values),), english, values, None)
    template = language.translated(english) or english
    return _made(tuple(_pieces(template, values)), english, values, language)


def _made(pieces: Sequence[str], template: str, values: Mapping[str, Any], language: Language | None) -> Phrase:
    said = Phrase("".join(pieces))
    said.template, said.values, said.language, said.pieces = template, values, language, pieces
    return said


def _pieces(template: str, values: Mapping[str, object]) -> Iterator[str]:
    from string import Formatter  # only a translated report needs it

    for before, name, _, _ in Formatter().parse(template):
        yield before
        if name is not None:
            value = values[name]
            yield from value.pieces if isinstance(value, Phrase) else (value if isinstance(value, str) else str(value),)


def together(*parts: str) -> Phrase:
    """Texts one after the other, as one.

    >>> together("It fits", ": ", "24 GB")
    'It fits: 24 GB'
    """
    named = {f"part{number}": part for number, part in enumerate(parts)}
    template = "".join(f"{{{name}}}" for name in named)
    return _made(tuple(_pieces(template, named)), template, named, _SPOKEN.get())


def apart(parts: Sequence[str]) -> str:
    """Parts of a sentence with semicolons between them.

    >>> apart(["It fits", "it costs 3 USD"])
    'It fits; it costs 3 USD'
    """
    return together(*parts[:1], *(phrase("; {more}", more=part) for part in parts[1:]))


def spoken(text: str) -> str:
    """A text that was kept, in the language that is spoken: said again, translated, or marked as English.

    >>> spoken("fits")
    'fits'
    """
    language = _SPOKEN.get()
    if language is None or not text or isinstance(text, English):
        return text
    if isinstance(text, Phrase):
        if text.language is language:
            return text
        values = {name: spoken(value) if isinstance(value, str) else value for name, value in text.values.items()}
        return phrase(text.template, **values)
    return phrase(text) if language.translated(text) else English(text)


def is_english() -> bool:
    """Whether no other language is spoken."""
    return _SPOKEN.get() is None


def english(text: str) -> str:
    """A text that is not translated, marked as English where another language is spoken."""
    return text if _SPOKEN.get() is None else English(text)


def number_text(english: str) -> str:
    """A number that English writes as `1,234.50`, in the language that is spoken."""
    language = _SPOKEN.get()
    return english if language is None else language.number(english)


def quantity_text(english: str, unit: str) -> str:
    """A number with the symbol of its unit.

    >>> quantity_text("22.3", "GB")
    '22.3 GB'
    """
    language = _SPOKEN.get()
    return f"{english} {unit}" if language is None else language.quantity(language.number(english), unit)


def amount_text(english: str, currency: str) -> str:
    """An amount with its currency."""
    language = _SPOKEN.get()
    return f"{english} {currency}" if language is None else language.money(english, currency)


def noun_text(noun: str, number: float) -> str:
    """A noun, given in the singular, in the form that stands beside a number.

    >>> noun_text("example", 2)
    'examples'
    """
    language = _SPOKEN.get()
    if language is None:
        return noun if number == 1 else f"{noun}s"
    return language.noun(noun, number)


def day_text(day: date | str) -> str:
    """A day: `2026-12-02` in English. A text that a file gives for one stays as it is where it is not a day."""
    language = _SPOKEN.get()
    if language is None:
        return str(day)
    try:
        return language.day(date.fromisoformat(str(day)))
    except ValueError:
        return str(day)
