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
    assert {line: set(words) for line, words in read(text).allowed.get("-", {}).items()} == allowed
