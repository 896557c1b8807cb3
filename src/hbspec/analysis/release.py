"""What a deployment is let out by: the record of its evaluation, or a reason for having none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

FORMAT = 2
"""As in `templates/evaluate.py`."""
MOST_BYTES = 64 * 2**20
SUITE = (
    *(
        "suite",
        "digest",
        "seed",
        "wanted",
        "items",
        "verdict",
        "kinds",
        "interval",
        "source",
        "baseline",
        "faults",
        "parts",
    ),
    "outcomes",
)


class ItemOutcome(NamedTuple):
    """What the record says of one item.

    Attributes:
        item: its id.
        template: what it was made from.
        prompt: digest of what was asked.
        kind: of its answer; `right` for those alone that are.
        stratum: the kind of problem; None where the suite has none.
        seen: whether training has seen the prompt; None where that is not known.
    """

    item: str
    template: str
    prompt: str
    kind: str
    stratum: str | None
    seen: bool | None


class Release(NamedTuple):
    """One of the two.

    Attributes:
        record: of the evaluation, as `hbspec evaluate` wrote it; None without one.
        named: the file of the record, for messages.
        reason: why the model is deployed without one; None with a record.
    """

    record: Mapping[str, Any] | None
    named: str
    reason: str | None


class OtherFormatError(Exception):
    """A record of another version of hbspec; the message is its format."""


def read_record(path: Path) -> Mapping[str, Any]:
    """The record of an evaluation.

    Raises:
        ValueError: the file cannot be read, is not a record, or was changed since it was written.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as reason:
        raise ValueError(f"{path} cannot be read: {reason.strerror}") from None
    try:
        record = json.loads(content)
        version = record["format_version"]
        if isinstance(version, int) and version != FORMAT:
            raise OtherFormatError(version)
        if version != FORMAT or record["digest"] != record_digest(record):
            raise ValueError
        if (
            not all(_is_suite(suite) for suite in record["suites"])
            or not isinstance(record["job"]["name"], str | None)
            or "kind" not in record["model"]
        ):
            raise ValueError
    except OtherFormatError as other:
        said = f"{path} has format {other}, but this version reads {FORMAT}: evaluate again, which asks nothing twice"
        raise ValueError(f"{said} where the file of answers is beside it") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        said = f"{path} is not an evaluation's record as it was written: give the file that `hbspec evaluate` wrote"
        raise ValueError(said) from None
    found: Mapping[str, Any] = record
    return found


def _is_suite(suite: Mapping[str, Any]) -> bool:
    """Whether an entry has all that is read of it, in the types that `hbspec evaluate` writes."""
    outcomes = suite["outcomes"]
    return (
        all(name in suite for name in SUITE)
        and all(isinstance(suite[name], str) for name in ("suite", "digest"))
        and all(isinstance(suite[name], int) for name in ("seed", "wanted"))
        and bool(outcomes)
        and all(_is_outcome(one) for one in outcomes)
    )


def _is_outcome(found: Sequence[Any]) -> bool:
    one = ItemOutcome(*found)
    return (
        all(isinstance(part, str) for part in (one.item, one.template, one.prompt, one.kind))
        and isinstance(one.stratum, str | None)
        and isinstance(one.seen, bool | None)
    )


def record_digest(record: Mapping[str, Any]) -> str:
    """The digest that a record has of all the rest of it; as in `templates/evaluate.py`."""
    rest = {name: value for name, value in record.items() if name != "digest"}
    return sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
