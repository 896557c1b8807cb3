"""Settings of every test."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# thousands of processes start here, and each would compile hbspec again where bytecode is not kept
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# no test asserts a stopwatch, and CI machines stall, also while an example is drawn; the suite tries the same examples
# each time, `make long` more of them, and `make laws` many times as many others
unhurried = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("same", **unhurried, derandomize=True, max_examples=12)
settings.register_profile("more", **unhurried, derandomize=True, max_examples=30)
settings.register_profile("usual", **unhurried, derandomize=True, max_examples=100)
settings.register_profile("others", **unhurried, max_examples=300)
settings.load_profile("same")

# doctests are collected in every module; conftest files share their name and hold none, and scripts of specs are data
collect_ignore_glob = ["conftest.py", "*/conftest.py", "rules/finetune.py", "rules/own_*.py"]

TRAINING = frozenset({"torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "datasets"})
"""The packages of the extra `train`."""
TRAINS = Path(__file__).parent / "templates"


def pytest_addoption(parser):
    parser.addoption("--without-torch", action="store_true", help="skip the tests that need the extra `train`")
    parser.addoption("--long", action="store_true", help="run what is marked long, as `make long` does")
    parser.addoption("--vllm", help="the folder with the Python of vLLM for CPUs, as `make serve-check` makes it")
    parser.addoption("--mutations", type=int, default=50, help="mutated specs that tests/fuzz tries")
    parser.addoption("--linted", type=int, default=5, help="those of them that are fixed, too, and opened in an editor")


def pytest_configure(config):
    gc.set_threshold(200_000)  # as a command does (hbspec.cli.entry): what is made is seldom garbage
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background, where programs would not hear it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "long: left to `make long`; run with --long")
    config.addinivalue_line("markers", "one_in(number): of its parameters every so many; the others are long")
    if config.getoption("--without-torch"):
        sys.meta_path.append(SkipsTraining)  # the last: asked only for what is not installed


@pytest.hookimpl(tryfirst=True)  # before `-m long` chooses
def pytest_collection_modifyitems(config, items):
    # what trains takes longest, and would otherwise come last, when one process has nothing left to do
    later = {path: TRAINS not in path.parents for path in {item.path for item in items}}
    items.sort(key=lambda item: later[item.path])
    leave_to_long(items)
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="left to `make long`"))


def leave_to_long(items):
    """Of a test with many parameters that hold one promise, the first and every so many after it are not long."""
    met = Counter()
    for item in items:
        if mark := item.get_closest_marker("one_in"):
            test = item.nodeid.partition("[")[0]
            if met[test] % mark.args[0]:
                item.add_marker(pytest.mark.long)
            met[test] += 1


def pytest_collection_finish():
    """Thousands of tests and their modules stay to the end: no later collection of garbage has to look through them."""
    gc.collect()
    gc.freeze()


class SkipsTraining:
    """An import of a package of the extra `train`, where it is not installed, skips the test or the module."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in TRAINING:
            pytest.skip(f"{name} is not installed", allow_module_level=True)


def pytest_make_parametrize_id(val, argname):
    """The argument's name where the value is bytes: compressed ones hold the time, and xdist's processes must agree."""
    return argname if isinstance(val, bytes) else None
