"""Settings of every test."""

from __future__ import annotations

from hypothesis import settings

# no test asserts a stopwatch, and CI machines stall
settings.register_profile("hbspec", deadline=None)
settings.load_profile("hbspec")
