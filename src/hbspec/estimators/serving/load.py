"""An endpoint under load: what each request and all of them together get at a concurrency."""

from __future__ import annotations

from typing import Any, NamedTuple

from hbspec.diagnostics import NotKnownError, known
from hbspec.estimators.serving.decoding import answering_seconds, step_of
from hbspec.estimators.serving.memory import request_cache
from hbspec.plan import ServingPlan
from hbspec.units import HOUR, Interval


class Load(NamedTuple):
    """One instance while as many typical requests are in work as are asked for, and as fit.

    Attributes:
        concurrency: requests in work: those asked for, or `largest_concurrency` if fewer.
        largest_concurrency: typical requests that the cache holds at once.
        request_tokens_per_second: of each of them, while no prompt is read.
        tokens_per_second: of all together, prompts' reading included.
        latency_seconds: of each of them.
        requests_per_hour: that one instance answers.
    """

    concurrency: int
    largest_concurrency: int
    request_tokens_per_second: Interval
    tokens_per_second: Interval
    latency_seconds: Interval
    requests_per_hour: Interval

    def to_dict(self) -> dict[str, Any]:
        """The `serving.load` of `hbspec estimate --format json`."""
        intervals = {name: value.to_dict() for name, value in self._asdict().items() if isinstance(value, Interval)}
        return {"concurrency": self.concurrency, "largest_concurrency": self.largest_concurrency, **intervals}


def load(plan: ServingPlan, room: int) -> Load:
    """The endpoint at `plan.concurrency`, as far as the cache reaches.

    Args:
        plan: the endpoint.
        room: bytes for the cache, of all GPUs together.

    Raises:
        NotKnownError: a part that it depends on, or that not even one typical request fits.
    """
    prompt = plan.input_tokens
    answer = known(plan.output_tokens, "deployment.typical_output_tokens")
    most = int(room / request_cache(plan, prompt + answer))
    requests = min(plan.concurrency, most)
    if requests < 1:
        raise NotKnownError("room for the cache of one typical request")
    took = answering_seconds(plan, prompt, answer, requests)
    step = step_of(plan, prompt + answer / 2, requests).interval()
    return Load(
        concurrency=requests,
        largest_concurrency=most,
        request_tokens_per_second=_rate(1, step),
        tokens_per_second=_rate(requests * answer, took),
        latency_seconds=took,
        requests_per_hour=_rate(requests * HOUR, took),
    )


def _rate(count: float, seconds: Interval) -> Interval:
    return Interval(count / seconds.high, count / seconds.expected, count / seconds.low)
