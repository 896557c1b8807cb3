"""Asks a model again where asking failed, with growing pauses, and says in one word why an item has no answer.

Only the standard library is imported.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Event
from typing import Any, NamedTuple, Protocol

TIMED_OUT, RATE_LIMITED, SERVER_FAILED = "timeout", "rate limit", "server error"
NOT_CONNECTED, REFUSED, MALFORMED = "no connection", "refused", "malformed reply"
"""Why an item has no answer. None of them is ever right."""
TOO_MANY, REQUEST_TIMEOUT, SERVER_ERRORS = 429, 408, 500
DENIED = (401, 403, 404)
"""HTTP statuses that say of the whole run, not of one item, that it cannot go on: the key, or the model's name."""


class Reply(NamedTuple):
    """What a model said.

    Attributes:
        text: the answer.
        finish: why it ended; "length" where it was cut off.
        tokens: generated; None where they are not told.
        model: that answered, as it calls itself; None where it is not told.
    """

    text: str
    finish: str
    tokens: int | None
    model: str | None


class NoReplyError(Exception):
    """A request without a usable reply.

    Args:
        kind: why, one of the words above.
        again: whether asking again may help.
        after: seconds after which the other side wants to be asked again; None where it does not say.
    """

    def __init__(self, kind: str, *, again: bool, after: float | None = None) -> None:
        super().__init__(kind)
        self.kind, self.again, self.after = kind, again, after


class DeniedError(Exception):
    """The other side answers none of the run's requests; the message names it and says what to do."""


class Asked(Protocol):
    """A model that can be asked."""

    @property
    def told(self) -> Mapping[str, Any]:
        """What the record says of it: no credential is among it."""
        ...

    @property
    def at_once(self) -> int | None:
        """The most requests that it takes at once; None where that is the caller's choice."""
        ...

    def ask(self, messages: Sequence[Mapping[str, str]], max_tokens: int, seed: int, stop: Sequence[str] = ()) -> Reply:
        """The reply to a conversation.

        Args:
            messages: the conversation.
            max_tokens: of the reply at most.
            seed: of sampling.
            stop: texts before which the reply may end; it may also go on behind one.

        Raises:
            NoReplyError: there is none, for this item.
            DeniedError: there will be none for any item.
        """
        ...


class Patience(NamedTuple):
    """How often is asked, and how long is waited in between.

    Attributes:
        attempts: for one item.
        first: seconds of the first pause at most; each later one may be twice as long.
        longest: seconds of a pause at most, also of one that the other side asks for.
        wait: sleeps for seconds, and says whether the run is to end.
        draw: a number from 0 to 1, so that those who were refused together do not come back together.
    """

    attempts: int = 6
    first: float = 1.0
    longest: float = 300.0
    wait: Callable[[float], bool] = Event().wait
    draw: Callable[[], float] = random.random

    def pause(self, attempt: int, after: float | None) -> float:
        """Seconds before the next attempt: as the other side says, or a draw from a growing span ("full jitter").

        https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
        """
        if after is not None:
            return after
        return min(self.longest, self.first * float(2**attempt)) * self.draw()


class StoppedError(Exception):
    """The run is to end."""


def patiently(ask: Callable[[], Reply], patience: Patience) -> tuple[Reply | str, int]:
    """The reply, or why there is none, and the attempts that were made.

    Args:
        ask: makes one attempt, as `Asked.ask`.
        patience: with failures.

    Raises:
        DeniedError: there will be none for any item.
        StoppedError: the run is to end.
    """
    for attempt in range(patience.attempts):
        try:
            return ask(), attempt + 1
        except NoReplyError as none:
            pause = patience.pause(attempt, none.after)
            if not none.again or attempt + 1 == patience.attempts or pause > patience.longest:
                return none.kind, attempt + 1
        if patience.wait(pause):
            raise StoppedError
    raise AssertionError("at least one attempt is made")


def no_reply(status: int, later: str | None = None) -> NoReplyError:
    """What an HTTP status says that is not one of success, with a header `Retry-After`."""
    after = retry_after(later, datetime.now(UTC))
    if status == TOO_MANY:
        return NoReplyError(RATE_LIMITED, again=True, after=after)
    if status == REQUEST_TIMEOUT:
        return NoReplyError(TIMED_OUT, again=True, after=after)
    if status >= SERVER_ERRORS:
        return NoReplyError(SERVER_FAILED, again=True, after=after)
    return NoReplyError(REFUSED, again=False)


def retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds that a header `Retry-After` asks for, which may be a date; None without one that can be read.

    https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    """
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return float(text.strip()[:9])
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now.timestamp())


def reply_of(body: Any) -> Reply:
    """The reply that a chat completion holds: https://platform.openai.com/docs/api-reference/chat/object.

    Raises:
        NoReplyError: it holds none.
    """
    try:
        choice = body["choices"][0]
        text, finish = choice["message"].get("content"), choice.get("finish_reason")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise NoReplyError(MALFORMED, again=False) from None
    if not isinstance(text, str | None):
        raise NoReplyError(MALFORMED, again=False)
    usage, model = body.get("usage"), body.get("model")
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return Reply(
        text or "",
        finish if isinstance(finish, str) else "",
        tokens if isinstance(tokens, int) else None,
        model if isinstance(model, str) else None,
    )
