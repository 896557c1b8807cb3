"""What a suite's answers are worth: each one's kind, the share that is right, and whether it decides.

Only an answer that is whole is handed to a suite's scorer: none that failed, was cut off or is empty can be right. Only
the standard library is imported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from answers import Answered, prompt_digest
from significance import CONFIDENCE, FAILED, NOT_DECIDED, PASSED, Ends, items_needed, share, verdict

RIGHT, EMPTY, TRUNCATED, NOT_ASKED, SCORER_FAILED, WRONG = (
    *("right", "empty", "truncated", "not asked", "scorer failed", "wrong"),
)
PARTS = STRATUM, SEEN = "stratum", "seen"
"""By what a suite's score is reported apart: the kind of problem, and whether training has seen the prompt."""
NONSENSE = "qzx qzx qzx"
"""An answer to nothing. A suite by which a model passes that says nothing else measures nothing."""


class AskedItem(Protocol):
    """One item of a suite: `suites.Item`."""

    @property
    def id(self) -> str:
        """Its name, once in a suite."""

    @property
    def template(self) -> str:
        """What it was made from: items of one template are not independent."""

    @property
    def messages(self) -> Sequence[Mapping[str, str]]:
        """The conversation that is to be answered."""

    @property
    def max_tokens(self) -> int:
        """Tokens of the answer at most."""

    @property
    def stop(self) -> tuple[str, ...]:
        """Texts that end the answer."""

    @property
    def reference(self) -> Mapping[str, Any]:
        """What the scorer compares with, and by what its score is reported apart (`PARTS`)."""


def item_digest(item: AskedItem) -> str:
    """The digest of what is asked."""
    return prompt_digest(item.messages, item.max_tokens, item.stop)


class ScoredAnswer(Protocol):
    """What a suite says of an answer: `suites.Scored`."""

    @property
    def right(self) -> bool:
        """Whether it is right."""

    @property
    def kind(self) -> str:
        """Why, in a word or two."""


class AskedSuite(Protocol):
    """A suite: `suites.Suite`. One with `score_group` has all its answers scored together.

    One of a file may have `faults`, the lines that it leaves out, and one may have `baseline`, the score of answers
    that do not read the question; one whose items a library makes has `source`, the digest of its own files. They go
    into the record.
    """

    @property
    def name(self) -> str:
        """By which a spec names it."""

    @property
    def digest(self) -> str:
        """Of its items and its scorer."""

    def items(self, seed: int, count: int) -> Iterator[Any]:
        """The items of a seed, `count` or as many as there are."""

    def score(self, item: Any, answer: str) -> Any:
        """What an answer is worth."""


class Wanted(NamedTuple):
    """A suite as the spec wants it.

    Attributes:
        suite: that asks and scores.
        least: the score that it must reach.
        seed: of its items.
        number: of items that are wanted; the suite may have fewer.
        items: that are asked.
    """

    suite: AskedSuite
    least: float
    seed: int
    number: int
    items: tuple[AskedItem, ...]


class LenientSuiteError(ValueError):
    """A suite that lets nonsense pass."""


def refuse_lenient(wanted: Wanted) -> None:
    """Nothing, if nonsense in answer to every item fails.

    Raises:
        LenientSuiteError: it passes.
    """
    kinds = _scored(wanted.suite, wanted.items, [NONSENSE] * len(wanted.items))
    right = kinds.count(RIGHT)
    if right and right / len(kinds) >= wanted.least:
        raise LenientSuiteError(
            f"{wanted.suite.name}: its scorer finds {right} of {len(kinds)} answers right that say nothing "
            f"({NONSENSE!r}), which is min_score {wanted.least:g}: correct the suite"
        )


def kinds_of(wanted: Wanted, found: Mapping[tuple[str, int, str, str], Answered]) -> list[str]:
    """The kind of each item's answer, `RIGHT` for those alone that are right."""
    texts, known = [], []
    for item in wanted.items:
        key = wanted.suite.name, wanted.seed, item.id, item_digest(item)
        answered = found.get(key)
        known.append(_known(answered))
        texts.append(answered.text if answered else "")
    scored = _scored(
        wanted.suite, wanted.items, [text if not kind else "" for text, kind in zip(texts, known, strict=True)]
    )
    return [kind or of_suite for kind, of_suite in zip(known, scored, strict=True)]


def _known(answered: Answered | None) -> str:
    """What is known without the suite; empty where it has to be asked."""
    if answered is None:
        return NOT_ASKED
    if answered.failure:
        return answered.failure
    if answered.finish == "length":
        return TRUNCATED
    return "" if answered.text.strip() else EMPTY


def _scored(suite: AskedSuite, items: Sequence[AskedItem], texts: Sequence[str]) -> list[str]:
    group = getattr(suite, "score_group", None)
    try:
        if group is not None:
            scored = list(group(list(items), list(texts)))
            return [_kind(one) for one in scored] if len(scored) == len(items) else [SCORER_FAILED] * len(items)
    except Exception:
        return [SCORER_FAILED] * len(items)
    return [_one(suite, item, text) for item, text in zip(items, texts, strict=True)]


def _one(suite: AskedSuite, item: AskedItem, text: str) -> str:
    if not text.strip():
        return EMPTY
    try:
        return _kind(suite.score(item, text))
    except Exception:
        return SCORER_FAILED


def _kind(scored: ScoredAnswer) -> str:
    """A scorer's word; both of its marks have to say that an answer is right."""
    if scored.right is True and scored.kind == RIGHT:
        return RIGHT
    return scored.kind if scored.kind != RIGHT else WRONG


def judged(wanted: Wanted, kinds: Sequence[str]) -> dict[str, Any]:
    """What the record says of one suite."""
    right, templates = [kind == RIGHT for kind in kinds], [item.template for item in wanted.items]
    found = share(right, templates)
    said = verdict(found.ends, wanted.least)
    faults = getattr(wanted.suite, "faults", None) or {}
    return {
        "suite": wanted.suite.name,
        "digest": wanted.suite.digest,
        "seed": wanted.seed,
        "wanted": wanted.number,
        "items": found.items,
        "templates": found.templates,
        "right": found.right,
        "share": found.share,
        "kinds": dict(sorted(Counter(kinds).items())),
        "confidence": CONFIDENCE,
        "by_item": _ends(found.by_item),
        "by_template": found.by_template and _ends(found.by_template),
        "interval": _ends(found.ends),
        "min_score": wanted.least,
        "verdict": said,
        "items_needed": items_needed(right, templates, wanted.least) if said == NOT_DECIDED else None,
        "source": getattr(wanted.suite, "source", None),
        "baseline": getattr(wanted.suite, "baseline", None),
        "faults": {kind: len(lines) for kind, lines in faults.items()},
        "parts": {part: _part(part, wanted.items, right) for part in PARTS},
        "outcomes": [
            [item.id, item.template, item_digest(item), kind, *_parts_of(item)]
            for item, kind in zip(wanted.items, kinds, strict=True)
        ],
    }


def _parts_of(item: AskedItem) -> list[str | bool | None]:
    """The stratum of an item, and whether training has seen it; None where that is not known."""
    return [item.reference.get(part) for part in PARTS]


def _part(part: str, items: Sequence[AskedItem], right: Sequence[bool]) -> list[dict[str, Any]]:
    """The scores of a suite's items apart; empty where they do not say to which part they belong."""
    placed: dict[str | bool | None, list[int]] = {}
    for number, item in enumerate(items):
        if part in item.reference:
            placed.setdefault(item.reference[part], []).append(number)
    return [_scored_part(placed[value], value, items, right) for value in sorted(placed, key=str)]


def _scored_part(
    numbers: Sequence[int], value: str | bool | None, items: Sequence[AskedItem], right: Sequence[bool]
) -> dict[str, Any]:
    found = share([right[number] for number in numbers], [items[number].template for number in numbers])
    return {
        "value": value,
        "items": found.items,
        "templates": found.templates,
        "right": found.right,
        "share": found.share,
        "interval": _ends(found.ends),
    }


def overall(suites: Sequence[Mapping[str, Any]]) -> str:
    """The verdict on a model: passed only if every suite is, failed if one is."""
    verdicts = {suite["verdict"] for suite in suites}
    if FAILED in verdicts:
        return FAILED
    return PASSED if verdicts == {PASSED} else NOT_DECIDED


def _ends(ends: Ends) -> dict[str, float]:
    return {"low": ends.low, "high": ends.high}
