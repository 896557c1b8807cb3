"""An endpoint made for the tests of what is said of it."""

from __future__ import annotations

from decimal import Decimal

from hbspec.estimators.serving.cost import Charge, Charges
from hbspec.estimators.serving.endpoint import Serving
from hbspec.estimators.serving.memory import Demand
from hbspec.estimators.serving.room import Room
from hbspec.estimators.verdict import Verdict
from hbspec.units import GB, Interval, Money

SERVING = Serving(
    verdict=Verdict.FITS,
    weights_bytes=5 * GB,
    terms={"weights": 5 * GB, "engine": 1 * GB},
    engine_bytes=Interval.exact(GB),
    kv_bytes_per_token=57_344,
    demand=Demand(None, None, None, None),
    memory=Interval(6 * GB, 6 * GB, 7 * GB),
    least_memory=Interval(6 * GB, 6 * GB, 7 * GB),
    loading=None,
    usable=20 * GB,
    budget=18 * GB,
    room=Room(209_263, None, None),
    sure_room=Room(200_000, None, None),
    best_room=Room(220_000, None, None),
    cache_tokens=None,
    prefill_seconds=None,
    first_token_seconds=None,
    decode_tokens_per_second=Interval(20, 30, 60),
    latency_seconds=None,
    least_token_seconds=1 / 60,
    load=None,
    charges=Charges(
        Money(Decimal("1.515"), "USD"),
        {name: Charge(*[Decimal("1.515")] * 3, "USD") for name in ("hourly", "daily", "monthly")},
    ),
    cost_per_1000_answers=None,
    unknown={"latency_seconds": "deployment.typical_output_tokens"},
)
