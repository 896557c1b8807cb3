r"""The final answer of a text: one rule, which the prompt tells the model.

1. Reasoning is left out: what stands before the last `</think>`. A `<think>` that is not closed behind it means that
   the answer was cut off. DeepSeek-R1's chat template opens the block itself: answers often hold only its end.
2. The final answer is what follows `Answer:` on its line, or on the next line that is not empty where nothing follows;
   Markdown's marks around the word and a heading `Final answer` without a colon count too. The contents of `\boxed{}`
   are a final answer as well. Where it is a calculation (`30/55 = 54.5 %`), what follows the last equals sign counts.
3. Every number of every final answer has to be right: of two different numbers, one of them right, none counts. Lines
   without a number count only where no line has one.
4. A number is a percentage where `%` or `percent` follows it. Where the answer is to be a percentage, a number without
   a sign is taken as one, and one of -1 to 1 as a share as well: 54.3 and 0.543 are both 54.3 %.
5. A number is wrong if another unit follows it than was asked for (`per game` for `per 60`, `%` for a count).

Only this decides: what an answer says about its own score is text like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from .items import RIGHT, WRONG, Scored
from .written_numbers import Number, numbers

FORM = (
    "Reason as much as you need. End with one line of this form, with one number and nothing behind its unit:\n"
    "Answer: NUMBER UNIT\n"
    "Use a point for decimals and no separator for thousands."
)
"""The rule as a prompt states it."""
VERSION = 1
"""Raised when another answer counts as right than before: scores of different versions are not comparable."""
LONGEST = 50_000
"""Characters of an answer that are read, from its end; no item asks for as many."""
LONGEST_BOX = 80
SHOWN = 60

_THOUGHT_END = re.compile(r"</think(?:ing)?\s{0,9}>", re.I)
_THOUGHT_START = re.compile(r"<think(?:ing)?\s{0,9}>", re.I)
_BOXED = re.compile(r"\\f?boxed\s{0,9}\{")
_MARK = r"[*_`#>\s]{0,9}"
_HEADING = re.compile(r"(?im)^[*_`#> \t]{0,9}(?:final[ ])?answer[*_`# \t]{0,9}$\s{0,9}")
_LETTER = re.compile(r"(?<!\\)\b[A-Za-z]")
_EQUALS = re.compile(r"[=\u2248]|\\approx(?![A-Za-z])")
_REFUSAL = re.compile(
    r"\b(?:I|we)(?:['\u2019]m| am| are)? ?(?:cannot|can['\u2019]?t|can not|unable to|not able to|won['\u2019]t|"
    r"will not) (?:\w+ )?(?:answer|help|assist|provide|calculate|compute|determine|give|comply|do|fulfil\w*|share)|"
    r"\bas an? (?:AI|artificial intelligence|(?:large )?language model)\b|"
    r"\bI(?:['\u2019]m| am) sorry\b|\bI (?:do not|don['\u2019]t) have (?:access|enough|the (?:data|information))",
    re.I,
)


class Asked(NamedTuple):
    """A number that an answer has to hold.

    Attributes:
        number: the exact value.
        tolerance: largest difference that counts as right.
        unit: `%`, `per 60`, or empty for counts and differences of them.
    """

    number: Fraction
    tolerance: Fraction
    unit: str

    def reference(self) -> dict[str, Any]:
        """As plain JSON values; fractions are written `543/10`."""
        return {"number": str(self.number), "tolerance": str(self.tolerance), "unit": self.unit}


def asked_of(reference: Any) -> Asked:
    """The number of a reference, as `Asked.reference` wrote it."""
    return Asked(Fraction(reference["number"]), Fraction(reference["tolerance"]), reference["unit"])


def spoken(answer: str) -> str | None:
    """An answer without its reasoning; None where the reasoning does not end.

    >>> spoken("hm, 5?</think>Answer: 6"), spoken("<think>hm")
    ('Answer: 6', None)
    """
    ends = [match.end() for match in _THOUGHT_END.finditer(answer)]
    text = answer[ends[-1] :] if ends else answer
    return None if _THOUGHT_START.search(text) else text[-LONGEST:]


def silent(answer: str) -> Scored | None:
    """The result of an answer that says nothing: cut off while it reasons, or empty."""
    said = spoken(answer)
    if said is None:
        return Scored(False, "truncated", "the reasoning is not closed by </think>")
    return None if said.strip() else Scored(False, "empty", "nothing is said beside the reasoning")


def shown(text: str, most: int = SHOWN) -> str:
    r"""The beginning of a text from outside, on one line and without what moves a terminal's cursor.

    >>> shown(" \x1b[31mred\n") + shown("x" * 500)[-4:]
    '\\x1b[31mredxxx…'
    """
    words = text.strip()
    cut = words if len(words) <= most else f"{words[:most]}…"
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in cut)


def refuses(said: str) -> bool:
    """Whether a text refuses to answer, by its phrases."""
    return _REFUSAL.search(said) is not None


def judged(asked: Asked, answer: str) -> Scored:
    """Compares the final answer of a text with the number that was asked for."""
    return silent(answer) or found_right("Answer", asked, finals(spoken(answer) or ""), answer)


def found_right(label: str, asked: Asked, payloads: list[str], answer: str) -> Scored:
    """Compares what follows a label, wherever it stands in an answer, with the number that was asked for."""
    found = [number for payload in payloads for number in numbers(_result(payload))]
    if not found:
        return _without_number(label, payloads, answer)
    verdicts = {_fault(asked, number) for number in found}
    if verdicts == {None}:
        return Scored(True, RIGHT, f"{label}: {_shown(found[0])}")
    if len({number.value for number in found}) > 1:
        return Scored(False, "two numbers", f"{label}: {' and '.join(map(_shown, found[:3]))}")
    kind = verdicts.pop() if len(verdicts) == 1 else WRONG
    return Scored(False, kind or WRONG, f"{label}: {_shown(found[0])}; {_shown_asked(asked)} is right")


def _result(payload: str) -> str:
    """What follows the last equals sign of a calculation; all of a text with words between two, which is none.

    >>> _result("CF% = 30/55 = 54.5 %"), _result("A = 54.5, B = 60")
    (' 54.5 %', 'A = 54.5, B = 60')
    """
    parts = _EQUALS.split(payload)
    return payload if any(_LETTER.search(part) for part in parts[1:-1]) else parts[-1]


def finals(said: str) -> list[str]:
    r"""Every final answer of a text without reasoning.

    >>> finals("**Final answer**\n54.3 %"), finals("so \\boxed{\\frac{3}{4}}.")
    (['54.3 %'], ['\\frac{3}{4}'])
    """
    headed = [_line(said, match.end(), len(said)) for match in _HEADING.finditer(said)]
    return [*labelled(said, "Answer"), *headed, *_boxed(said)]


def labelled(said: str, label: str) -> list[str]:
    r"""What follows a label and a colon on its line, or on the next one, for each time that it stands in a text.

    `Answer` counts wherever it stands, any other label at the beginning of a line.

    >>> labelled("**Answer:** 54.5 %\nAnswer:\n\n54", "Answer")
    ['54.5 %', '54']
    """
    words = r"\s".join(map(re.escape, label.split()))
    before = r"(?<![\w-])" if label == "Answer" else r"^[^\w\n]{0,9}(?:(?:step\s)?[0-9]{1,2}[.):]?)?[^\w\n]{0,9}"
    pattern = re.compile(rf"(?im){before}{words}{_MARK}(?:\([^()\n]{{0,40}}\)\s?)?[:\uff1a]{_MARK}")
    found = list(pattern.finditer(said))
    ends = [match.start() for match in found[1:]] + [len(said)]
    return [_line(said, match.end(), end) for match, end in zip(found, ends, strict=False)]


def _line(said: str, start: int, stop: int) -> str:
    """The text from one place to the end of its line, or to another place: a model that loops repeats its label."""
    end = said.find("\n", start, stop)
    return said[start : stop if end < 0 else end].strip()


def _boxed(said: str) -> Iterator[str]:
    r"""The contents of every `\boxed{}`, with their own braces; `LONGEST_BOX` characters where one is not closed."""
    for match in _BOXED.finditer(said):
        depth = 1
        for brace in re.finditer(r"[{}]", said[match.end() : match.end() + LONGEST_BOX]):
            depth += 1 if brace[0] == "{" else -1
            if depth == 0:
                yield said[match.end() : match.end() + brace.start()]
                break
        else:
            yield said[match.end() : match.end() + LONGEST_BOX]


def _without_number(label: str, payloads: list[str], answer: str) -> Scored:
    said = spoken(answer) or ""
    if refuses(said):
        return Scored(False, "refused", shown(said))
    if payloads:
        return Scored(False, "no number", f"{label}: is not followed by a number")
    return Scored(False, "no number", f"no line says {label}: and a number")


def _fault(asked: Asked, number: Number) -> str | None:
    """Why a number is not the one that was asked for; None where it is."""
    value, unit = number
    if value is None:
        return WRONG
    if unit and unit != asked.unit:
        return "wrong unit"
    values = [value]
    if asked.unit == "%" and not unit and abs(value) <= 1:
        values.append(100 * value)
    return None if any(abs(each - asked.number) <= asked.tolerance for each in values) else WRONG


def _shown(number: Number) -> str:
    if number.value is None:
        return "an unreadable number"
    return f"{_rounded(number.value)} {number.unit}".rstrip()


def _shown_asked(asked: Asked) -> str:
    within = f" within {_rounded(asked.tolerance)}" if asked.tolerance else ""
    return f"{_rounded(asked.number)} {asked.unit}".rstrip() + within


def _rounded(value: Fraction) -> str:
    """At most four decimals, by integers alone: a number of any size."""
    scaled = round(abs(value) * 10**4)
    text = f"{scaled // 10**4}.{scaled % 10**4:04}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 and scaled else text
