"""Languages of a report beside English: phrases from a catalogue, numbers and days by babel.

A catalogue is a gettext file, `phrases/fr.po`, whose keys are the English phrases of the source. It is read as it is,
so that nothing must be compiled: https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

from hbspec.language import Language

FOLDER = Path(__file__).parent / "phrases"
NO_BREAK = "\N{NO-BREAK SPACE}"
KEPT = "kept"
"""The flag of a phrase that estimates keep with its values already in it, such as the reason of an unknown figure."""
_NUMBER = re.compile(r"\d[\d,]*(\.\d+)?")
_HELD = re.compile(r"(\{\w+\})")


def translation(code: str) -> Language | None:
    """A language by its code; None for English, in which everything is written.

    Raises:
        ImportError: babel is not installed (the extra `report`).
    """
    return None if code == "en" else Translation(code)


class Translation:
    """A language with a catalogue, whose numbers and days are those of the CLDR (https://cldr.unicode.org).

    Attributes:
        code: of the language, ISO 639-1.
    """

    def __init__(self, code: str) -> None:
        from babel import Locale
        from babel.messages.pofile import read_po

        self.code = code
        self._locale = Locale(code)
        with (FOLDER / f"{code}.po").open("rb") as stream:
            read = read_po(stream, locale=code, abort_invalid=True)
        self._phrases: dict[str, tuple[str, ...]] = {}
        self._kept: list[tuple[str, re.Pattern[str]]] = []
        for one in read:
            (english, *_), said = _forms(one.id), _forms(one.string)
            if said[0]:
                self._phrases[english] = said
            if KEPT in one.flags:
                self._kept.append((english, _expression(english)))

    def translated(self, english: str) -> str | None:
        """A phrase by its English, or by the English words around its values where it was kept with them."""
        if english in self._phrases:
            return self._phrases[english][0]
        return next(self._filled(english), None)

    def _filled(self, english: str) -> Iterator[str]:
        for template, expression in self._kept:
            if found := expression.fullmatch(english):
                held = {name: self._held(value) for name, value in found.groupdict().items()}
                yield self._phrases[template][0].format(**held)

    def _held(self, value: str) -> str:
        return self.number(value) if _NUMBER.fullmatch(value) else self.translated(value) or value

    def noun(self, english: str, number: float) -> str:
        """A noun in the form that stands beside a number."""
        one, *others = self._phrases.get(english, (english,))
        return one if self._locale.plural_form(number) == "one" else [one, *others][-1]

    def number(self, english: str) -> str:
        """A number that English writes as `1,234.50`, with as many digits."""
        from babel.numbers import format_decimal

        number = Decimal(english.replace(",", ""))
        decimals = "0" * len(english.partition(".")[2])
        return format_decimal(number, f"#,##0.{decimals}" if decimals else "#,##0", self._locale)

    def quantity(self, number: str, unit: str) -> str:
        """A number with its unit, which no line break parts."""
        return f"{number}{NO_BREAK}{self.translated(unit) or unit}"

    def money(self, english: str, currency: str) -> str:
        """An amount, with a dollar's country after a space: `1 234,50 $ CA`.

        Source: Office québécois de la langue française, « Symbole du dollar »,
        https://vitrinelinguistique.oqlf.gouv.qc.ca
        """
        from babel.numbers import get_currency_symbol

        symbol = re.sub(r"^\$(?=\w)", f"${NO_BREAK}", get_currency_symbol(currency, self._locale))
        return f"{self.number(english)}{NO_BREAK}{symbol}"

    def day(self, day: date) -> str:
        """A day with the name of its month; the first of one is an ordinal number in French, which the CLDR leaves out.

        Source: https://vitrinelinguistique.oqlf.gouv.qc.ca, « Date et heure ».
        """
        from babel.dates import format_date

        said = str(format_date(day, "long", self._locale))
        return re.sub("^1 ", "1er ", said) if self.code == "fr" else said

    @property
    def axes(self) -> Mapping[str, object]:
        """How charts write the numbers of their axes, as d3-format takes it: https://d3js.org/d3-format ."""
        from babel.numbers import get_decimal_symbol, get_group_symbol

        marks = {"decimal": get_decimal_symbol(self._locale), "thousands": get_group_symbol(self._locale)}
        return {**marks, "grouping": [3], "currency": ["", ""]}


def _forms(words: object) -> tuple[str, ...]:
    """The singular and the plurals of an entry, or its one text."""
    return tuple(map(str, words)) if isinstance(words, list | tuple) else (str(words or ""),)


def _expression(template: str) -> re.Pattern[str]:
    """What a text made of a template matches."""
    parts = _HELD.split(template)
    held = (f"(?P<{part[1:-1]}>.+)" if _HELD.fullmatch(part) else re.escape(part) for part in parts)
    return re.compile("".join(held))
