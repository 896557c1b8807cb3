"""10,000 mutations of valid specs: a diagnostic or a clean result each time, never a traceback, never a hang."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import fuzz_judge
import pytest
from fuzz_mutations import KINDS, case

CASES = {"bytes": 3000, "structure": 3000, "values": 4000}
THOROUGH_EVERY = 3
"""Every third case is estimated and compiled too."""
SEARCHED_EVERY = 9
"""Every ninth is also searched for better plans, which takes longer than all the rest."""
CHUNK = 100
FAILURES_SHOWN = 5


@pytest.fixture(scope="module")
def workers() -> Iterator[ProcessPoolExecutor]:
    # spawned: other tests of this process may have started threads, which a fork would not survive
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("kind", KINDS)
def test_no_mutation_breaks_the_program(kind: str, workers: ProcessPoolExecutor) -> None:
    chunks = [range(start, start + CHUNK) for start in range(0, CASES[kind], CHUNK)]
    futures = [workers.submit(fuzz_judge.run, kind, chunk, THOROUGH_EVERY, SEARCHED_EVERY) for chunk in chunks]
    failures = [failure for future in futures for failure in future.result()]
    assert not failures, f"{len(failures)} failed; the first of them:\n\n" + "\n\n".join(failures[:FAILURES_SHOWN])


def test_there_are_ten_thousand() -> None:
    assert sum(CASES.values()) == 10_000
    assert CASES.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_is_the_same_every_time(kind: str) -> None:
    assert case(kind, 7).text == case(kind, 7).text
    assert len({case(kind, number).text for number in range(50)}) > 45
