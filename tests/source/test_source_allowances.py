"""`# hbspec: allow` comments."""

import pytest
from source_reading import read


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("a: 1 # hbspec: allow HB101\nb: 2", {1: {"HB101"}}),
        ("a: 1\n# hbspec: allow HB101, one-process-many-gpus\n\n# why\nb: 2", {5: {"HB101", "one-process-many-gpus"}}),
        ("a: 1 # hbspec: allow HB101 HB102 -- the cluster is paid for anyway", {1: {"HB101", "HB102"}}),
        ("a: 1 # hbspec: allow HB101 (reason)", {1: {"HB101"}}),
        ("a:  # hbspec: allow HB101\n  b: 1  #hbspec: allow HB102\n", {1: {"HB101"}, 2: {"HB102"}}),
        ("# hbspec: allow HB101\n# hbspec: allow HB102\na: 1 # hbspec: allow HB103", {3: {"HB101", "HB102", "HB103"}}),
        ("a: 1 # note # hbspec: allow HB101", {1: {"HB101"}}),
        ("a: 1\n# hbspec: allow HB101", {2: {"HB101"}}),
        ("a: |\n  # hbspec: allow HB101\n  x\nb: 'y # hbspec: allow HB102'\n", {}),
        ("a: 1 # hbspec: allow", {}),
        ("a: 1 # hbspec: allow everything", {}),
        ("a: 1 # hbspec: allowed HB101", {}),
    ],
)  # fmt: skip
def test_codes_are_found_by_line(text: str, allowed: dict[int, set[str]]) -> None:
    found: dict[int, set[str]] = {}
    for one in read(text).allowed:
        assert one.first == one.last
        found.setdefault(one.first, set()).update(one.words)
    assert found == allowed


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a:  # hbspec: allow-section HB101\n  b: 1\n  c: [1,\n   2]\nd: 1\n", (1, 4)),
        ("# hbspec: allow-section HB101\na: {b: 1,\n c: 1}\nd: 1", (2, 3)),
        ("d: 1\na: 1 # hbspec: allow-section HB101\n", (2, 2)),
        ("d: 1\na: 1\nb: 1 # hbspec: allow-file HB101\n", (1, 4)),
        ("# hbspec: allow-file HB101 -- why\nd: 1", (1, 2)),
    ],
)  # fmt: skip
def test_a_section_and_a_file(text: str, lines: tuple[int, int]) -> None:
    (found,) = read(text).allowed
    assert (found.words, found.first, found.last) == (("HB101",), *lines)


def test_the_place_of_a_comment() -> None:
    (found,) = read("b: 1\na: 1 # hbspec: allow HB101, HB102 -- why").allowed
    assert (found.span.start, found.span.end) == ((2, 8), (2, 34))
