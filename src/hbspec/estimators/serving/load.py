"""An endpoint under load: the speed of each request and of all requests together at a concurrency."""

from __future__ import annotations

from typing import Any, NamedTuple

from hbspec.diagnostics import NotKnownError, known
from hbspec.estimators.serving.memory import request_cache
from hbspec.estimators.serving.prefill import answering_seconds, first_token_seconds, token_seconds
from hbspec.plan import ServingPlan
from hbspec.units import HOUR, Interval


class Load(NamedTuple):
    """One instance at the planned concurrency of typical requests, or as many as fit.

    Attributes:
        concurrency: concurrent requests: as planned, or `largest_concurrency` if fewer.
        largest_concurrency: typical requests that the KV cache holds at once.
        first_token_seconds: seconds until a request's first token; see `first_token_seconds`.
        request_tokens_per_second: tokens per second of each request after its first, while the prompts of others are
            read.
        tokens_per_second: tokens per second of all requests together, including prefill.
        latency_seconds: seconds per request.
        requests_per_hour: requests per hour that one instance answers.
    """

    concurrency: int
    largest_concurrency: int
    first_token_seconds: Interval
    request_tokens_per_second: Interval
    tokens_per_second: Interval
    latency_seconds: Interval
    requests_per_hour: Interval

    def to_dict(self) -> dict[str, Any]:
        """The `serving.load` of `hbspec estimate --format json`."""
        intervals = {name: value.to_dict() for name, value in self._asdict().items() if isinstance(value, Interval)}
        return {"concurrency": self.concurrency, "largest_concurrency": self.largest_concurrency, **intervals}


def load(plan: ServingPlan, room: int) -> Load:
    """The endpoint at `plan.concurrency`, or at as many requests as the KV cache holds.

    Args:
        plan: the endpoint.
        room: bytes for the KV cache, over all GPUs together.

    Raises:
        NotKnownError: an input is not known, or a single typical request does not fit.
    """
    prompt = plan.input_tokens
    answer = known(plan.output_tokens, "deployment.typical_output_tokens")
    most = int(room / request_cache(plan, prompt + answer))
    requests = min(plan.concurrency, most)
    if requests < 1:
        raise NotKnownError("room for the KV cache of one typical request")
    took = answering_seconds(plan, prompt, answer, requests)
    return Load(
        concurrency=requests,
        largest_concurrency=most,
        first_token_seconds=first_token_seconds(plan, prompt, requests),
        request_tokens_per_second=_rate(1, token_seconds(plan, prompt, answer, requests)),
        tokens_per_second=_rate(requests * answer, took),
        latency_seconds=took,
        requests_per_hour=_rate(requests * HOUR, took),
    )


def _rate(count: float, seconds: Interval) -> Interval:
    return Interval(count / seconds.high, count / seconds.expected, count / seconds.low)
