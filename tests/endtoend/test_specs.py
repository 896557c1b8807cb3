"""Every spec that people may copy is checked and compiled, the flawed ones by force, to what is kept in `golden/`."""

from __future__ import annotations

import pytest
from golden import PAIRS, compiled, golden, kept

from hbspec.api import check

FLAWED = ("-as-written", "-as-planned")
"""How the names of specs end that show what hbspec finds."""


@pytest.mark.parametrize(("spec", "target"), PAIRS, ids=lambda part: getattr(part, "stem", part))
def test_it_compiles(spec, target):
    artifacts = compiled(spec, target)
    paths = [artifact.path for artifact in artifacts]
    assert paths == sorted(set(paths))
    assert ("FORCED.txt" in paths) == spec.stem.endswith(FLAWED) == (not check(spec).ok)
    # after a change that is meant: python tests/endtoend/golden.py
    assert kept(artifacts) == golden(spec, target)
