"""The digest of an example, and the set of many."""

from __future__ import annotations

import tracemalloc
from random import Random

from hbspec.dataset.digests import DIGEST_BYTES, FULL, Digests, digest


def test_no_two_lists_run_together():
    told_apart = [
        (("user",), (b"ab",)),
        (("user", "user"), (b"a", b"b")),
        (("user", "user"), (b"", b"ab")),
        (("user", "user"), (b"ab", b"")),
        (("user", "assistant"), (b"a", b"b")),
        (("assistant", "user"), (b"a", b"b")),
        ((), ()),
    ]
    assert len({digest(*each) for each in told_apart}) == len(told_apart)
    assert digest(("user",), (b"ab",)) == digest(("user",), (b"ab",))


def test_it_is_the_same_on_every_machine():
    """Profiles carry it: BLAKE2b of each text behind its length in eight bytes, big end first."""
    assert digest(("user",), (b"hi",)).hex() == "e11fd7c494119da0566265c50db95112"


def test_a_set_that_grows_over_many_leaves():
    numbers = Random(1)
    marks = [numbers.randbytes(DIGEST_BYTES) for _ in range(5 * FULL)]
    digests = Digests()
    assert all(digests.add(mark) for mark in marks)
    assert not any(digests.add(mark) for mark in marks)
    assert len(digests) == len(marks)
    assert list(digests) == sorted(marks)
    assert bytes(digests) == b"".join(sorted(marks))
    assert all(mark in digests for mark in marks)
    assert numbers.randbytes(DIGEST_BYTES) not in digests


def test_a_digest_takes_little_more_than_its_sixteen_bytes():
    numbers = Random(2)
    tracemalloc.start()
    digests = Digests()
    for _ in range(40_000):
        digests.add(numbers.randbytes(DIGEST_BYTES))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 16 < taken / 40_000 < 20
