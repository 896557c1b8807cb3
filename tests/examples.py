"""How many examples a law is tried with: a few in `make test`, more in `make long` and `make laws`."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100


def examples(number: int) -> settings:
    """The settings of a law whose examples take more time or less than others: so many where others have `USUAL`."""
    return settings(max_examples=max(1, settings().max_examples * number // USUAL))
