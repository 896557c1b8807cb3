"""Settings of every test."""

from __future__ import annotations

from hypothesis import settings

# no test asserts a stopwatch, and CI machines stall
settings.register_profile("hbspec", deadline=None)
settings.load_profile("hbspec")

# doctests are collected in every module; conftest files share their name and hold none
collect_ignore_glob = ["conftest.py", "*/conftest.py"]


def pytest_make_parametrize_id(val, argname):
    """The argument's name where the value is bytes: compressed ones hold the time, and xdist's processes must agree."""
    return argname if isinstance(val, bytes) else None
