"""The voice of the persona: rules that a program decides, told to the model in its system message.

- English: no letter of another script than Latin or Greek (symbols of formulas), and not more French than English
  among the words that only one of the two has. An answer of numbers alone is of no language, and passes.
- First person: the answer says `we`, `our`, `ours` or `us` at least once, as one of the team's staff.
- No word about what speaks: a language model, an assistant, a name of a maker of models.
- No refusal (`answers.refuses`), which is a kind of its own.

The reasoning before `</think>` is not listened to.
"""

from __future__ import annotations

import re
import unicodedata

from .answers import refuses, shown
from .items import Scored

ROLES = ("coach", "player", "scout", "analyst")
"""Whom the persona answers."""

_FIRST_PERSON = re.compile(r"\b(?:we|our|ours|us)\b", re.I)
_FORBIDDEN = re.compile(
    r"\b(?:language model|an AI\b|artificial intelligence|chat ?bot|virtual assistant|my training data|"
    r"I was trained|OpenAI|ChatGPT|DeepSeek|Qwen|Anthropic|Llama)\b",
    re.I,
)
_SCRIPTS = (
    "LATIN",
    "FULLWIDTH LATIN",
    "GREEK",
    "MICRO",
    "MATH",
    "MODIFIER",
    "FEMININE",
    "MASCULINE",
    "SCRIPT",
    "DOUBLE",
)
"""How Unicode's names of letters begin that are Latin, or symbols of formulas and ordinals."""
_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = frozenset(("the", "of", "and", "is", "to", "we", "our", "with", "for", "that", "this", "was", "from", "by"))
_FRENCH = frozenset(("le", "la", "les", "des", "du", "est", "et", "nous", "notre", "avec", "une", "dans", "sur", "par"))


def persona(role: str) -> str:
    """The system message of the persona, which states the rules."""
    article = "an" if role[0] in "aeiou" else "a"
    return (
        f"You are an analyst of the Montreal Canadiens and answer {article} {role} of the team. Answer in English, in "
        "one to three sentences, as one of the staff: say we and our. Do not speak of yourself as a program."
    )


def heard(said: str) -> Scored | None:
    """What is wrong with the voice of an answer without its reasoning; None where nothing is."""
    forbidden = _FORBIDDEN.search(said)
    if forbidden:
        return Scored(False, "out of voice", f"says {shown(forbidden[0])}")
    if refuses(said):
        return Scored(False, "refused", shown(said))
    fault = _another_language(said)
    if fault:
        return Scored(False, "other language", fault)
    if not _FIRST_PERSON.search(said):
        return Scored(False, "out of voice", "does not say we or our")
    return None


def _another_language(said: str) -> str | None:
    for letter in dict.fromkeys(said):
        if letter.isalpha() and not unicodedata.name(letter, "LATIN").startswith(_SCRIPTS):
            return f"has {unicodedata.name(letter).title()}"
    words = [word.casefold() for word in _WORD.findall(said)]
    english, french = (sum(word in of_language for word in words) for of_language in (_ENGLISH, _FRENCH))
    return f"has {french} French words and {english} English ones" if french > english else None
