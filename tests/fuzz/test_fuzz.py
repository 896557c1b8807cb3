"""Mutations of valid specs: a diagnostic or a clean result each time, never a traceback, never a hang.

`make test` tries `--mutations` of them, 50 unless told otherwise; `make fuzz`, which CI runs, tries 10,000. `--linted`
of them are also fixed, judged by a policy and opened in an editor, which takes longer: 5, and 500 by `make fuzz`.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import fuzz_judge
import fuzz_linted
import pytest
from fuzz_mutations import KINDS, case

SHARES = {"bytes": 30, "structure": 30, "values": 40}
"""Of a hundred mutations, how many there are of each kind."""
THOROUGH_EVERY = 3
"""Every third case is estimated and compiled too."""
SEARCHED_EVERY = 9
"""Every ninth is also searched for better plans, which takes longer than all the rest."""
CHUNK = 20
"""Cases of a task: few enough that the last tasks end together."""
FAILURES_SHOWN = 5


@pytest.fixture(scope="module")
def workers() -> Iterator[ProcessPoolExecutor]:
    # spawned: other tests of this process may have started threads, which a fork would not survive
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("kind", KINDS)
def test_no_mutation_breaks_the_program(kind: str, workers: ProcessPoolExecutor, pytestconfig: pytest.Config) -> None:
    number = pytestconfig.getoption("--mutations") * SHARES[kind] // 100
    assert number > 0
    chunks = [range(start, min(start + CHUNK, number)) for start in range(0, number, CHUNK)]
    futures = [workers.submit(fuzz_judge.run, kind, chunk, THOROUGH_EVERY, SEARCHED_EVERY) for chunk in chunks]
    failures = [failure for future in futures for failure in future.result()]
    assert not failures, f"{len(failures)} failed; the first of them:\n\n" + "\n\n".join(failures[:FAILURES_SHOWN])


@pytest.mark.parametrize("kind", KINDS)
def test_no_mutation_breaks_fixes_a_policy_or_the_editor(
    kind: str, workers: ProcessPoolExecutor, pytestconfig: pytest.Config
) -> None:
    number = pytestconfig.getoption("--linted") * SHARES[kind] // 100
    assert number > 0
    chunks = [range(start, min(start + CHUNK, number)) for start in range(0, number, CHUNK)]
    futures = [workers.submit(fuzz_linted.run, kind, chunk) for chunk in chunks]
    failures = [failure for future in futures for failure in future.result()]
    assert not failures, f"{len(failures)} failed; the first of them:\n\n" + "\n\n".join(failures[:FAILURES_SHOWN])


def test_every_kind_has_its_share() -> None:
    assert sum(SHARES.values()) == 100
    assert SHARES.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_is_the_same_every_time(kind: str) -> None:
    assert case(kind, 7).text == case(kind, 7).text
    assert len({case(kind, number).text for number in range(50)}) > 45
