"""Settings of every test."""

from __future__ import annotations

from hypothesis import settings

# no test asserts a stopwatch, and CI machines stall
settings.register_profile("hbspec", deadline=None)
settings.load_profile("hbspec")

# doctests are collected in every module; conftest files share their name and hold none
collect_ignore_glob = ["conftest.py", "*/conftest.py"]
